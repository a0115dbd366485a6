/** A relay on loopback, in front of a server that is not ours and keeps no log for us. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { afterEach } from "vitest"

export interface TcpRelay {
  readonly endpoint: string
  /** Accepted so far. */
  connections: number
  /** How many bytes of each connection go on to the server; what is sent after them gets lost. */
  passBytes: number
  /** Connections that have lost bytes. */
  cut: number
}

const ends: Array<() => Promise<unknown>> = []

/** A relay for one test. */
export const startRelay = async (server: string): Promise<TcpRelay> => {
  const { hostname, port } = new URL(server)
  const sockets = new Set<Socket>()
  const listener = createServer((client) => {
    relay.connections++
    const upstream = connect(Number(port), hostname)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client]
    ] as const) {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    let sent = 0
    client.on("data", (bytes: Buffer) => {
      const before = sent
      sent += bytes.length
      if (sent <= relay.passBytes) upstream.write(bytes)
      else if (before <= relay.passBytes) relay.cut++
    })
    upstream.pipe(client)
  })
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))
  const endpoint = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
  const relay: TcpRelay = { endpoint, connections: 0, passBytes: Infinity, cut: 0 }
  ends.push(() => {
    const closed = new Promise((resolve) => listener.close(resolve))
    for (const socket of sockets) socket.destroy()
    return closed
  })
  return relay
}

afterEach(async () => {
  for (const result of ends.splice(0)) await result()
})
