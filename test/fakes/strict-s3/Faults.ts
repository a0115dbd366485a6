/** How an exchange can go wrong: what a store, the way to it, or something in its place may do to a request. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http"
import type { Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { errorDocument, S3Error, spoilChecksum } from "./Responses.ts"
import type { Answer, RecordedRequest } from "./Types.ts"

/** An answer that S3 has not given. One with a code carries an error document, also where its status is 200. */
export interface CannedAnswer {
  status: number
  code?: string
  headers?: Record<string, string>
  /** Default: the error document, or nothing at all where there is no code and the status is a success. */
  body?: string
}

/** What to do to a request in place of, or besides, handling it. */
export type Fault =
  // The request is not handled, but answered,
  | ({ kind: "answer" } & CannedAnswer)
  // or answered before its body is read, after which the connection is closed.
  | ({ kind: "early-answer" } & CannedAnswer)
  // It is neither handled nor answered: silence, once all of the body has been read;
  | { kind: "hang" }
  // once about so many bytes of the body have been read;
  | { kind: "stall"; afterBytes: number }
  // or a TCP reset, when the head has arrived, or after about so many bytes of the body;
  | { kind: "reset"; afterBytes?: number }
  // or the greeting of some other protocol.
  | { kind: "garbage" }
  // It is handled, but the answer comes late,
  | { kind: "delay"; ms: number }
  // byte by byte,
  | { kind: "trickle"; msPerByte: number }
  // wrong,
  | { kind: "wrong-checksum" }
  | { kind: "missing-etag" }
  // or only as far as `slice(0, end)` has it: 0 is a lost answer, -1 lacks its last byte. What is cut may be `told`.
  | { kind: "cut-answer"; end: number; by: "reset" | "close" | "silence"; answer?: CannedAnswer }

/** A fault that leaves S3 out. */
export type Interruption = Extract<Fault, { kind: "hang" | "stall" | "reset" | "garbage" }>
/** A fault of the answer, be it S3's own. */
export type Disturbance = Exclude<Fault, Interruption>

/** One request and its connection, for a fault to break. */
export interface Connection {
  message: IncomingMessage
  response: ServerResponse
  record: RecordedRequest
  /** Ends the connection from this side. */
  cut: (how: "reset" | "close") => void
}

export const isInterruption = (fault: Fault | undefined): fault is Interruption =>
  fault !== undefined && ["hang", "stall", "reset", "garbage"].includes(fault.kind)

/** Reads until so many bytes of the body have come, or all of it. */
const readSome = ({ message, record }: Connection, bytes: number): Promise<void> =>
  new Promise((resolve) => {
    const look = () => {
      if (record.bodyBytes < bytes) return
      message.pause()
      resolve()
    }
    message.on("data", (chunk: Buffer) => {
      record.bodyBytes += chunk.length
      look()
    })
    message.once("end", resolve)
    message.once("close", resolve)
    look()
  })

/** Does what the fault says, and nothing else. */
export const interrupt = async (fault: Interruption, line: Connection): Promise<void> => {
  switch (fault.kind) {
    case "hang":
      // Reading on is what lets the server notice that the client left.
      line.message.resume()
      return
    case "stall":
      return readSome(line, fault.afterBytes)
    case "reset":
      if (fault.afterBytes !== undefined) await readSome(line, fault.afterBytes)
      return line.cut("reset")
    case "garbage":
      line.message.socket.write("SSH-2.0-OpenSSH_9.2p1\r\n")
      return line.cut("close")
  }
}

/** What the fault answers in place of S3. */
export const cannedAnswer = (fault: Disturbance | undefined): CannedAnswer | undefined => {
  if (fault?.kind === "answer" || fault?.kind === "early-answer") return fault
  return fault?.kind === "cut-answer" ? fault.answer : undefined
}

/** The answer that a fault asks for. */
export const renderAnswer = ({ body, code, headers, status }: CannedAnswer, resource: string): Answer => {
  const error = new S3Error(status, code ?? "InternalError", "This is what the test asked for.")
  const document = errorDocument(error, resource, "")
  const text = body ?? (code === undefined && status < 300 ? "" : document.body)
  return { status, headers: { ...(text === "" ? {} : document.headers), ...headers }, ...(text && { body: text }) }
}

/** The answer as the fault has it. */
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

/** Sends an answer past Node's own care for it: slowly, or not all of it. */
export const sendFaulty = async (
  fault: Extract<Fault, { kind: "trickle" | "cut-answer" }>,
  line: Connection,
  answer: Answer
): Promise<void> => {
  const { socket } = line.message
  if (fault.kind === "cut-answer") {
    await write(socket, onTheWire(answer).subarray(0, fault.end))
    if (fault.by !== "silence") line.cut(fault.by)
    return
  }
  // Said, so that the client does not take the connection for its next request.
  const bytes = onTheWire({ ...answer, headers: { connection: "close", ...answer.headers } })
  for (let at = 0; at < bytes.length && socket.writable; at++) {
    await write(socket, bytes.subarray(at, at + 1))
    await sleep(fault.msPerByte)
  }
  line.cut("close")
}
