/** Answers, as they come over a connection. Source: RFC 9112, sections 2.2, 4, 5, 6 and 7. */

export interface Answer {
  readonly status: number
  /** By their names in lower case; of those that come twice, the first. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Another request may be sent over the same connection. */
  readonly isReusable: boolean
}

/** What came is no answer. */
export class Garbled extends Error {
  override readonly name = "Garbled"
  readonly code = "ERR_HTTP_GARBLED"
}

export interface Reader {
  /** Takes what has come; the answer, once it is whole. Throws `Garbled`. */
  readonly push: (bytes: Buffer) => Answer | undefined
  /** Nothing more will come; the answer, if that was its end. */
  readonly end: () => Answer | undefined
}

/** Bytes; as many as Node's own parser takes. */
const longestHead = 16 * 1024
/** Bytes. A store's documents have a few hundred; it is kept in memory. */
const longestBody = 1024 ** 2

interface Head {
  readonly status: number
  readonly headers: Record<string, string>
  readonly keepsAlive: boolean
  /** Bytes of the body, or how its end is found. */
  readonly length: number | "chunked" | "close"
}

/** For one answer. */
export const reader = (): Reader => {
  let rest: Buffer = Buffer.alloc(0)
  let head: Head | undefined
  const chunks: Array<Buffer> = []
  let chunkBytes = 0

  const whole = ({ headers, keepsAlive, status }: Head, body: Buffer, left: number): Answer => ({
    status,
    headers,
    body,
    // what nobody has asked for cannot be told from the next answer
    isReusable: keepsAlive && left === 0
  })

  const bodyOf = (known: Head): Answer | undefined => {
    if (chunkBytes + rest.length > longestBody) throw new Garbled("the answer does not end")
    if (known.length === "close") return undefined
    if (known.length === "chunked") {
      for (;;) {
        const read = chunk(rest)
        if (read === undefined) return undefined
        rest = rest.subarray(read.end)
        if (read.isLast) return whole(known, Buffer.concat(chunks), rest.length)
        chunks.push(read.bytes)
        chunkBytes += read.bytes.length
      }
    }
    return rest.length < known.length
      ? undefined
      : whole(known, rest.subarray(0, known.length), rest.length - known.length)
  }

  return {
    push: (bytes) => {
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
      while (head === undefined) {
        checkBeginning(rest)
        const end = rest.indexOf("\r\n\r\n")
        if (end > longestHead || (end < 0 && rest.length > longestHead)) throw new Garbled("the head does not end")
        if (end < 0) return undefined
        const parsed = parseHead(rest.toString("latin1", 0, end))
        rest = rest.subarray(end + 4)
        // 100 and 103 announce the answer; 101 would be another protocol
        if (parsed.status >= 200) head = parsed
        else if (parsed.status === 101) throw new Garbled("another protocol was switched to")
      }
      return bodyOf(head)
    },
    end: () => (head?.length === "close" ? whole({ ...head, keepsAlive: false }, rest, 0) : undefined)
  }
}

const version = "HTTP/1."

/** Who speaks another protocol may say little, and then wait. */
const checkBeginning = (bytes: Buffer) => {
  const begun = bytes.toString("latin1", 0, version.length)
  if (!version.startsWith(begun)) throw new Garbled("what came is not HTTP")
}

const parseHead = (text: string): Head => {
  const [statusLine = "", ...lines] = text.split("\r\n")
  const [, minor, code] = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(statusLine) ?? []
  if (code === undefined) throw new Garbled("the status line is none")
  const headers: Record<string, string> = Object.create(null)
  for (const line of lines) {
    const colon = line.indexOf(":")
    const name = line.slice(0, colon).toLowerCase()
    if (colon < 1 || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new Garbled("a line of the head is no header")
    const value = line.slice(colon + 1).trim()
    // two lengths are how one answer is smuggled into another
    if (name === "content-length" && (headers[name] ?? value) !== value) throw new Garbled("it has two lengths")
    headers[name] ??= value
  }
  const status = Number(code)
  const connection = headers["connection"]?.toLowerCase() ?? ""
  return {
    status,
    headers,
    keepsAlive: minor === "1" ? !connection.includes("close") : connection.includes("keep-alive"),
    length: lengthOf(status, headers)
  }
}

const lengthOf = (status: number, headers: Readonly<Record<string, string>>): Head["length"] => {
  if (status === 204 || status === 304) return 0
  const { "content-length": length, "transfer-encoding": encoding } = headers
  if (encoding !== undefined) return /\bchunked$/i.test(encoding) ? "chunked" : "close"
  if (length === undefined) return "close"
  if (!/^\d{1,15}$/.test(length)) throw new Garbled("its length is no number")
  return Number(length)
}

/** The first chunk, if all of it has come; the last one with the lines that may follow it. */
const chunk = (
  bytes: Buffer
): { readonly bytes: Buffer; readonly end: number; readonly isLast: boolean } | undefined => {
  const lineEnd = bytes.indexOf("\r\n")
  if (lineEnd < 0) {
    if (bytes.length > longestHead) throw new Garbled("a chunk has no length")
    return undefined
  }
  const [, digits] = /^([\da-f]{1,8}) *(?:;.*)?$/i.exec(bytes.toString("latin1", 0, lineEnd)) ?? []
  if (digits === undefined) throw new Garbled("a chunk has no length")
  const size = Number.parseInt(digits, 16)
  const start = lineEnd + 2
  if (size === 0) {
    const trailersEnd = bytes.indexOf("\r\n\r\n", lineEnd)
    return trailersEnd < 0 ? undefined : { bytes: Buffer.alloc(0), end: trailersEnd + 4, isLast: true }
  }
  if (bytes.length < start + size + 2) return undefined
  if (bytes.toString("latin1", start + size, start + size + 2) !== "\r\n")
    throw new Garbled("a chunk is longer than it says")
  return { bytes: bytes.subarray(start, start + size), end: start + size + 2, isLast: false }
}
