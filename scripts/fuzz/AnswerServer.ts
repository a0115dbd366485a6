/** A store that mutates each of its answers. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Random } from "../simulate/Random.ts"
import { type Answer, isRefusal, mutate, onTheWire } from "./Mutations.ts"

export interface AnswerServer {
  readonly endpoint: string
  /** The objects that were stored, by the path of the request. */
  readonly objects: Map<string, Buffer>
  /** The last answer to a request for a path. */
  readonly answers: Map<string, Answer>
  readonly stop: () => void
}

export const start = async (random: Random): Promise<AnswerServer> => {
  const objects = new Map<string, Buffer>()
  const answers = new Map<string, Answer>()
  const server = createServer({ keepAliveTimeout: 0 }, async (request, response) => {
    const { socket } = request
    try {
      const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>))
      const path = decodeURIComponent(URL.parse(request.url ?? "", "http://s")?.pathname ?? "")
      const answer = mutate(body, random)
      answers.set(path, answer)
      if (!isRefusal(answer)) objects.set(path, body)
      // the socket is written to directly, because Node would correct the answer
      response.detachSocket(socket)
      socket.write(onTheWire(answer))
      if (answer.end === "reset") socket.resetAndDestroy()
      else if (answer.end !== "silence") socket.end()
    } catch {
      socket.destroy()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    answers,
    stop: () => {
      server.closeAllConnections()
      server.close()
    }
  }
}
