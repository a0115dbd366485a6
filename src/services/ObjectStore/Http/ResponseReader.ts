/** Answers, as they come over a connection. Source: RFC 9112; sections 6 and 7 for where they end. */
import * as ResponseHead from "./ResponseHead.ts"

export interface Response extends Pick<ResponseHead.Head, "status" | "headers"> {
  readonly body: Buffer
  /** Another request may be sent over the same connection. */
  readonly isReusable: boolean
}

export interface ResponseReader {
  /** Takes what has come; the answer, once it is whole. Throws `Garbled`. */
  readonly push: (bytes: Buffer) => Response | undefined
  /** Nothing more will come; the answer, if that was its end. */
  readonly end: () => Response | undefined
}

/** Bytes of a head, or of the lines around chunks; as many as Node's own parser takes. */
const longestHead = 16 * 1024
/** Bytes. A store's documents have a few hundred; it is kept in memory. */
const longestBody = 1024 ** 2

const headEnd = "\r\n\r\n"

/** For one answer. */
export const make = (): ResponseReader => {
  let rest: Buffer = Buffer.alloc(0)
  let head: ResponseHead.Head | undefined
  const chunks: Array<Buffer> = []
  let chunkBytes = 0

  const readHead = (): ResponseHead.Head | undefined => {
    for (;;) {
      ResponseHead.checkBeginning(rest)
      const text = before(headEnd, rest)
      if (text === undefined) return undefined
      rest = rest.subarray(text.length + headEnd.length)
      const parsed = ResponseHead.parse(text)
      if (parsed.status === 101) throw new ResponseHead.MalformedResponse("it switches to another protocol")
      // those below 200 announce the answer
      if (parsed.status >= 200) return parsed
    }
  }

  const whole = ({ headers, keepsAlive, status }: ResponseHead.Head, body: Buffer, left: number): Response => ({
    status,
    headers,
    body,
    // what nobody has asked for cannot be told from the next answer
    isReusable: keepsAlive && left === 0
  })

  const readChunks = (known: ResponseHead.Head): Response | undefined => {
    for (;;) {
      const read = chunk(rest, longestBody - chunkBytes)
      if (read === undefined) return undefined
      rest = rest.subarray(read.end)
      if (read.bytes === undefined) return whole(known, Buffer.concat(chunks), rest.length)
      chunks.push(read.bytes)
      chunkBytes += read.bytes.length
    }
  }

  const readBody = (known: ResponseHead.Head): Response | undefined => {
    const { length } = known
    if (length === "chunked") return readChunks(known)
    checkLength(length === "close" ? rest.length : length, longestBody)
    return length === "close" || rest.length < length
      ? undefined
      : whole(known, rest.subarray(0, length), rest.length - length)
  }

  /** What is wrong behind the head of a refusal does not change what it says. */
  const refusal = (known: ResponseHead.Head, body: Buffer): Response | undefined =>
    known.status < 300 ? undefined : whole({ ...known, keepsAlive: false }, body, 0)

  return {
    push: (bytes) => {
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
      head ??= readHead()
      if (head === undefined) return undefined
      try {
        return readBody(head)
      } catch (error) {
        const answer = refusal(head, Buffer.concat(chunks))
        if (answer === undefined) throw error
        return answer
      }
    },
    end: () => {
      if (head === undefined) return undefined
      if (head.length === "close") return whole({ ...head, keepsAlive: false }, rest, 0)
      return refusal(head, head.length === "chunked" ? Buffer.concat(chunks) : rest)
    }
  }
}

const checkLength = (bytes: number, most: number) => {
  if (bytes > most) throw new ResponseHead.MalformedResponse("the answer is too long")
}

/** The text before a mark, if that has come. */
const before = (mark: string, bytes: Buffer): string | undefined => {
  const end = bytes.indexOf(mark)
  // the mark may have come in part
  if (end > longestHead || (end < 0 && bytes.length >= longestHead + mark.length)) {
    throw new ResponseHead.MalformedResponse("the head does not end")
  }
  const text = bytes.toString("latin1", 0, end < 0 ? bytes.length : end)
  ResponseHead.checkLines(text)
  return end < 0 ? undefined : text
}

interface Chunk {
  /** Undefined for the last one, after which lines may follow. */
  readonly bytes: Buffer | undefined
  /** Where the next one begins. */
  readonly end: number
}

/** The first chunk, if all of it has come. `most`: bytes that it may have. */
const chunk = (bytes: Buffer, most: number): Chunk | undefined => {
  const line = before("\r\n", bytes)
  if (line === undefined) return undefined
  const [, digits] = /^([\da-f]{1,16})[ \t]*(?:;.*)?$/i.exec(line) ?? []
  if (digits === undefined) throw new ResponseHead.MalformedResponse("a chunk has no length")
  const size = Number.parseInt(digits, 16)
  if (size === 0) {
    const trailers = before(headEnd, bytes.subarray(line.length))
    return trailers === undefined
      ? undefined
      : { bytes: undefined, end: line.length + trailers.length + headEnd.length }
  }
  checkLength(size, most)
  const start = line.length + 2
  const end = start + size
  if (bytes.length < end + 2) return undefined
  if (bytes.toString("latin1", end, end + 2) !== "\r\n")
    throw new ResponseHead.MalformedResponse("a chunk is longer than it says")
  return { bytes: bytes.subarray(start, end), end: end + 2 }
}
