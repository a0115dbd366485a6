/** Reads responses from the bytes of a connection. Source: RFC 9112; sections 6 and 7 define where a response ends. */
import * as GrowingBuffer from "./GrowingBuffer.ts"
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

const lineEnd = "\r\n"
const headEnd = `${lineEnd}${lineEnd}`

/** What follows in a chunked body. */
type Next = "size" | "content" | "end of content" | "trailers"

/** Reads one response. Takes time in proportion to its bytes, however few of them arrive at once. */
export const make = (): ResponseReader => {
  const unread = GrowingBuffer.make()
  /** Bytes of `unread` that do not contain the delimiter that comes next. */
  let searched = 0
  let head: ResponseHead.Head | undefined
  let next: Next = "size"
  /** Bytes of the current chunk that have not arrived. */
  let missing = 0
  /** The content of the chunks. */
  const content = GrowingBuffer.make()
  let trailerBytes = 0

  /** Takes the text before a delimiter; undefined until the delimiter has arrived. */
  const takeBefore = (mark: string): string | undefined => {
    const text = textBefore(mark, unread.bytes(), searched)
    if (text === undefined) searched = unread.length()
    else take(text.length + mark.length)
    return text
  }
  const take = (bytes: number): Buffer => {
    searched = 0
    return unread.take(bytes)
  }

  const readHead = (): ResponseHead.Head | undefined => {
    for (;;) {
      ResponseHead.checkStart(unread.bytes())
      const text = takeBefore(headEnd)
      if (text === undefined) return undefined
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

  /** Reads the next element of a chunked body. Returns whether it has arrived. */
  const readElement: Readonly<Record<Next, () => boolean>> = {
    size: () => {
      const line = takeBefore(lineEnd)
      if (line === undefined) return false
      missing = chunkSize(line)
      checkLength(missing, maxBodyBytes - content.length())
      next = missing === 0 ? "trailers" : "content"
      return true
    },
    content: () => {
      const bytes = take(Math.min(missing, unread.length()))
      content.append(bytes)
      missing -= bytes.length
      if (missing === 0) next = "end of content"
      return missing === 0
    },
    "end of content": () => {
      if (unread.length() < lineEnd.length) return false
      if (take(lineEnd.length).toString("latin1") !== lineEnd)
        throw new ResponseHead.MalformedResponse("a chunk is longer than its size")
      next = "size"
      return true
    },
    trailers: () => false
  }

  /** Trailers are ignored. An empty line ends them, and the body. */
  const readTrailers = (): boolean => {
    for (;;) {
      const line = takeBefore(lineEnd)
      if (line === undefined || line === "") return line === ""
      trailerBytes += line.length
      if (trailerBytes > maxHeadBytes) throw tooLongHead()
    }
  }

  const readBody = (known: ResponseHead.Head): Response | undefined => {
    const { length } = known
    if (length === "chunked") {
      while (readElement[next]());
      return next === "trailers" && readTrailers() ? complete(known, content.bytes(), unread.length()) : undefined
    }
    checkLength(length === "close" ? unread.length() : length, maxBodyBytes)
    return length === "close" || unread.length() < length
      ? undefined
      : complete(known, unread.bytes().subarray(0, length), unread.length() - length)
  }

  /** A response with status 300 or above is returned even if its body is malformed or incomplete. */
  const refusal = (known: ResponseHead.Head, body: Buffer): Response | undefined =>
    known.status < 300 ? undefined : complete({ ...known, keepsAlive: false }, body, 0)

  const reset = () =>
    head === undefined ? undefined : refusal(head, head.length === "chunked" ? content.bytes() : unread.bytes())

  return {
    reset,
    push: (bytes) => {
      unread.append(bytes)
      head ??= readHead()
      if (head === undefined) return undefined
      try {
        return readBody(head)
      } catch (error) {
        const response = refusal(head, content.bytes())
        if (response === undefined) throw error
        return response
      }
    },
    end: () => {
      if (head?.length === "close") return complete({ ...head, keepsAlive: false }, unread.bytes(), 0)
      return reset()
    }
  }
}

const checkLength = (bytes: number, maxBytes: number) => {
  if (bytes > maxBytes) throw new ResponseHead.MalformedResponse("the answer is too long")
}

const tooLongHead = () => new ResponseHead.MalformedResponse("the head is too long")

/** The text before a delimiter, which does not occur in the first `searched` bytes; undefined if it has not arrived. */
const textBefore = (mark: string, bytes: Buffer, searched: number): string | undefined => {
  // a part of the delimiter may have arrived
  const end = bytes.indexOf(mark, Math.max(0, searched - mark.length + 1))
  if (end > maxHeadBytes || (end < 0 && bytes.length >= maxHeadBytes + mark.length)) throw tooLongHead()
  // whether a line feed ends a line properly depends on the byte before it
  const from = Math.max(0, searched - 1)
  const fresh = bytes.toString("latin1", from, end < 0 ? bytes.length : Math.max(from, end))
  ResponseHead.checkLineEnds(searched > 0 && fresh.startsWith("\n") ? fresh.slice(1) : fresh)
  return end < 0 ? undefined : bytes.toString("latin1", 0, end)
}

/** The size in the first line of a chunk. */
const chunkSize = (line: string): number => {
  const [, digits] = /^([\da-f]{1,16})[ \t]*(?:;.*)?$/i.exec(line) ?? []
  if (digits === undefined) throw new ResponseHead.MalformedResponse("a chunk has no size")
  return Number.parseInt(digits, 16)
}
