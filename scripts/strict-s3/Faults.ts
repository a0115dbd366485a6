/** How an exchange can go wrong: everything that a store, the network, or a middlebox may do to a request. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http"
import type { Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { errorDocument, S3Error, spoilChecksum } from "./Responses.ts"
import type { Answer, RecordedRequest } from "./Types.ts"

/** An answer that replaces S3's own. With a code, it has an error document, even if its status is 200. */
export interface CannedAnswer {
  status: number
  code?: string
  headers?: Record<string, string>
  /** Default: the error document, or nothing if there is no code and the status is a success. */
  body?: string
}

/** What happens to a request instead of, or in addition to, its handling. */
export type Fault =
  // answers with this instead of handling the request
  | ({ kind: "answer" } & CannedAnswer)
  // answers with this before it reads the body, and then closes the connection
  | ({ kind: "early-answer" } & CannedAnswer)
  // reads the body, and never answers
  | { kind: "hang" }
  // reads about this much of the body, and never answers
  | { kind: "stall"; afterBytes: number }
  // sends a TCP reset after the head, or after about this much of the body
  | { kind: "reset"; afterBytes?: number }
  // sends the greeting of another protocol
  | { kind: "garbage" }
  // handles the request after a delay
  | { kind: "delay"; ms: number }
  // handles the request, and sends the answer byte by byte
  | { kind: "trickle"; msPerByte: number }
  // handles the request, and responds with a wrong checksum or without an ETag
  | { kind: "wrong-checksum" }
  | { kind: "missing-etag" }
  // sends only `slice(0, end)` of S3's answer, or of a canned one: 0 loses the answer, -1 its last byte
  | { kind: "cut-answer"; end: number; by: "reset" | "close" | "silence"; answer?: CannedAnswer }

/** A fault without any answer. */
export type Interruption = Extract<Fault, { kind: "hang" | "stall" | "reset" | "garbage" }>
/** A fault with an answer, canned or S3's own. */
export type Disturbance = Exclude<Fault, Interruption>

/** A request and its connection, which a fault can break. */
export interface Connection {
  message: IncomingMessage
  response: ServerResponse
  record: RecordedRequest
  /** Ends the connection from the server's side. */
  cut: (how: "reset" | "close") => void
}

export const isInterruption = (fault: Fault | undefined): fault is Interruption =>
  fault !== undefined && ["hang", "stall", "reset", "garbage"].includes(fault.kind)

/** Reads until `bytes` bytes of the body have arrived, or all of it. */
const readSome = ({ message, record }: Connection, bytes: number): Promise<void> =>
  new Promise((resolve) => {
    const check = () => {
      if (record.bodyBytes < bytes) return
      message.pause()
      resolve()
    }
    message.on("data", (chunk: Buffer) => {
      record.bodyBytes += chunk.length
      check()
    })
    message.once("end", resolve)
    message.once("close", resolve)
    check()
  })

/** Executes the fault instead of handling the request. */
export const interrupt = async (fault: Interruption, connection: Connection): Promise<void> => {
  switch (fault.kind) {
    case "hang":
      // the server only notices that the client disconnects if it keeps reading
      connection.message.resume()
      return
    case "stall":
      return readSome(connection, fault.afterBytes)
    case "reset":
      if (fault.afterBytes !== undefined) await readSome(connection, fault.afterBytes)
      return connection.cut("reset")
    case "garbage":
      connection.message.socket.write("SSH-2.0-OpenSSH_9.2p1\r\n")
      return connection.cut("close")
  }
}

/** Returns the response that the fault sends instead of S3's own; undefined if the fault has none. */
export const cannedAnswer = (fault: Disturbance | undefined): CannedAnswer | undefined => {
  if (fault?.kind === "answer" || fault?.kind === "early-answer") return fault
  return fault?.kind === "cut-answer" ? fault.answer : undefined
}

/** Completes a canned answer with its error document. */
export const renderAnswer = ({ body, code, headers, status }: CannedAnswer, resource: string): Answer => {
  const error = new S3Error(status, code ?? "InternalError", "The test asked for this error.")
  const document = errorDocument(error, resource, "")
  const text = body ?? (code === undefined && status < 300 ? "" : document.body)
  return { status, headers: { ...(text === "" ? {} : document.headers), ...headers }, ...(text && { body: text }) }
}

/** Alters S3's answer as the fault says. */
export const alterAnswer = (fault: Disturbance | undefined, answer: Answer): Answer => {
  if (fault?.kind === "wrong-checksum" && answer.status < 300) return spoilChecksum(answer)
  if (fault?.kind !== "missing-etag") return answer
  const { etag: _, ...headers } = answer.headers ?? {}
  return { ...answer, headers }
}

const onTheWire = (answer: Answer): Buffer => {
  const headers = Object.entries(answer.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ""}\r\n${headers.join("")}\r\n`
  return Buffer.concat([Buffer.from(head), Buffer.from(answer.body ?? "")])
}

const write = (socket: Socket, bytes: Buffer): Promise<unknown> =>
  new Promise((resolve) => {
    socket.write(bytes, resolve)
  })

/** Sends an answer slowly or incompletely, by writing to the socket directly. */
export const sendFaulty = async (
  fault: Extract<Fault, { kind: "trickle" | "cut-answer" }>,
  connection: Connection,
  answer: Answer
): Promise<void> => {
  const { socket } = connection.message
  if (fault.kind === "cut-answer") {
    await write(socket, onTheWire(answer).subarray(0, fault.end))
    if (fault.by !== "silence") connection.cut(fault.by)
    return
  }
  // announces the close, so that the client does not reuse the connection for its next request
  const bytes = onTheWire({ ...answer, headers: { connection: "close", ...answer.headers } })
  for (let at = 0; at < bytes.length && socket.writable; at++) {
    await write(socket, bytes.subarray(at, at + 1))
    await sleep(fault.msPerByte)
  }
  connection.cut("close")
}
