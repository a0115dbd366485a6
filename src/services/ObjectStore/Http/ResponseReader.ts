/** Reads responses from the bytes of a connection. Source: RFC 9112; sections 6 and 7 define where a response ends. */
import * as ResponseHead from "./ResponseHead.ts"

export interface Response extends Pick<ResponseHead.Head, "status" | "headers"> {
  readonly body: Buffer
  /** Whether the connection may be used for another request. */
  readonly isReusable: boolean
}

export interface ResponseReader {
  /** Takes the next bytes. Returns the response once it is complete. Throws `MalformedResponse`. */
  readonly push: (bytes: Buffer) => Response | undefined
  /** Call it when the connection has ended. Returns the response if the end of the connection completes it. */
  readonly end: () => Response | undefined
  /** Call it when the connection was reset. Returns the response if it is a refusal. */
  readonly reset: () => Response | undefined
}

/** Maximum bytes of a head, or of the lines around chunks. Node's parser has the same limit. */
const maxHeadBytes = 16 * 1024
/** Maximum bytes of a body, which is kept in memory. The body of a store's response has a few hundred bytes. */
const maxBodyBytes = 1024 ** 2

const headEnd = "\r\n\r\n"

/** Reads one response. */
export const make = (): ResponseReader => {
  let unread: Buffer = Buffer.alloc(0)
  let head: ResponseHead.Head | undefined
  const chunks: Array<Buffer> = []
  let chunkBytes = 0

  const readHead = (): ResponseHead.Head | undefined => {
    for (;;) {
      ResponseHead.checkStart(unread)
      const text = textBefore(headEnd, unread)
      if (text === undefined) return undefined
      unread = unread.subarray(text.length + headEnd.length)
      const parsed = ResponseHead.parse(text)
      if (parsed.status === 101) throw new ResponseHead.MalformedResponse("the server switches to another protocol")
      // interim responses have a status below 200
      if (parsed.status >= 200) return parsed
    }
  }

  const complete = ({ headers, keepsAlive, status }: ResponseHead.Head, body: Buffer, surplus: number): Response => ({
    status,
    headers,
    body,
    // the connection is not reused, because surplus bytes would be read as the next response
    isReusable: keepsAlive && surplus === 0
  })

  const readChunks = (known: ResponseHead.Head): Response | undefined => {
    for (;;) {
      const chunk = firstChunk(unread, maxBodyBytes - chunkBytes)
      if (chunk === undefined) return undefined
      unread = unread.subarray(chunk.end)
      if (chunk.bytes === undefined) return complete(known, Buffer.concat(chunks), unread.length)
      chunks.push(chunk.bytes)
      chunkBytes += chunk.bytes.length
    }
  }

  const readBody = (known: ResponseHead.Head): Response | undefined => {
    const { length } = known
    if (length === "chunked") return readChunks(known)
    checkLength(length === "close" ? unread.length : length, maxBodyBytes)
    return length === "close" || unread.length < length
      ? undefined
      : complete(known, unread.subarray(0, length), unread.length - length)
  }

  /** A response with status 300 or above is returned even if its body is malformed or incomplete. */
  const refusal = (known: ResponseHead.Head, body: Buffer): Response | undefined =>
    known.status < 300 ? undefined : complete({ ...known, keepsAlive: false }, body, 0)

  const reset = () =>
    head === undefined ? undefined : refusal(head, head.length === "chunked" ? Buffer.concat(chunks) : unread)

  return {
    reset,
    push: (bytes) => {
      unread = unread.length === 0 ? bytes : Buffer.concat([unread, bytes])
      head ??= readHead()
      if (head === undefined) return undefined
      try {
        return readBody(head)
      } catch (error) {
        const response = refusal(head, Buffer.concat(chunks))
        if (response === undefined) throw error
        return response
      }
    },
    end: () => {
      if (head?.length === "close") return complete({ ...head, keepsAlive: false }, unread, 0)
      return reset()
    }
  }
}

const checkLength = (bytes: number, maxBytes: number) => {
  if (bytes > maxBytes) throw new ResponseHead.MalformedResponse("the answer is too long")
}

/** The text before a delimiter; undefined until the delimiter has arrived. */
const textBefore = (mark: string, bytes: Buffer): string | undefined => {
  const end = bytes.indexOf(mark)
  // a part of the delimiter may have arrived
  if (end > maxHeadBytes || (end < 0 && bytes.length >= maxHeadBytes + mark.length)) {
    throw new ResponseHead.MalformedResponse("the head is too long")
  }
  const text = bytes.toString("latin1", 0, end < 0 ? bytes.length : end)
  ResponseHead.checkLineEnds(text)
  return end < 0 ? undefined : text
}

interface Chunk {
  /** Undefined for the last chunk, which trailer lines may follow. */
  readonly bytes: Buffer | undefined
  /** Where the next chunk starts. */
  readonly end: number
}

/** The first chunk of the body; undefined until all of the chunk has arrived. */
const firstChunk = (bytes: Buffer, maxBytes: number): Chunk | undefined => {
  const line = textBefore("\r\n", bytes)
  if (line === undefined) return undefined
  const [, digits] = /^([\da-f]{1,16})[ \t]*(?:;.*)?$/i.exec(line) ?? []
  if (digits === undefined) throw new ResponseHead.MalformedResponse("a chunk has no size")
  const size = Number.parseInt(digits, 16)
  if (size === 0) {
    const trailers = textBefore(headEnd, bytes.subarray(line.length))
    return trailers === undefined
      ? undefined
      : { bytes: undefined, end: line.length + trailers.length + headEnd.length }
  }
  checkLength(size, maxBytes)
  const start = line.length + 2
  const end = start + size
  if (bytes.length < end + 2) return undefined
  if (bytes.toString("latin1", end, end + 2) !== "\r\n")
    throw new ResponseHead.MalformedResponse("a chunk is longer than its size")
  return { bytes: bytes.subarray(start, end), end: end + 2 }
}
