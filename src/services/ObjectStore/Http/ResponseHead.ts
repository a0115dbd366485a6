/** Status line and headers of a response: RFC 9112, sections 4, 5 and 6. */

/** The bytes received are not a valid response. */
export class MalformedResponse extends Error {
  override readonly name = "MalformedResponse"
  readonly code = "ERR_HTTP_MALFORMED_RESPONSE"
}

export interface Head {
  readonly status: number
  /**
   * The headers by name in lower case. If one is repeated, the first value is kept. Values are latin1, without
   * surrounding whitespace.
   */
  readonly headers: Readonly<Record<string, string>>
  /** Whether the connection may be used for another request. */
  readonly keepsAlive: boolean
  /** The number of bytes of the body, or how to find its end. */
  readonly length: number | "chunked" | "close"
}

const version = "HTTP/1."

/** Checks the first bytes, because a server of another protocol may send only a few bytes and then wait. */
export const checkStart = (bytes: Buffer): void => {
  if (!version.startsWith(bytes.toString("latin1", 0, version.length)))
    throw new MalformedResponse("the answer is not HTTP")
}

/** Requires CRLF at the end of each line. With a bare LF, programs disagree about where the head ends. */
export const checkLineEnds = (text: string): void => {
  if (/(?:^|[^\r])\n/.test(text)) throw new MalformedResponse("a header line does not end in CRLF")
}

/** `text`: the head without the empty line at its end. */
export const parse = (text: string): Head => {
  // a line that starts with whitespace continues the previous line
  const [statusLine = "", ...lines] = text.replace(/\r\n[ \t]+/g, " ").split("\r\n")
  const [, minor, digits] = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/.exec(statusLine) ?? []
  if (digits === undefined) throw new MalformedResponse("the status line is malformed")
  const headers: Record<string, string> = Object.create(null)
  for (const line of lines) add(headers, line)

  const status = Number(digits)
  const { connection = "", "content-length": length, "transfer-encoding": coding } = headers
  // the body's length is ambiguous if both headers are present, or with Transfer-Encoding in HTTP/1.0
  const isEndCertain = coding === undefined || (minor === "1" && length === undefined)
  return {
    status,
    headers,
    keepsAlive:
      isEndCertain && !includesToken(connection, "close") && (minor === "1" || includesToken(connection, "keep-alive")),
    length: status === 204 || status === 304 ? 0 : lengthOf(length, coding)
  }
}

const header = /^([\w!#$%&'*+.^`|~-]+):([\t\x20-\x7e\x80-\xff]*)$/
/** Headers whose values are combined if they are repeated. */
const listHeaders = new Set(["connection", "transfer-encoding"])

const add = (headers: Record<string, string>, line: string) => {
  const [, givenName, padded] = header.exec(line) ?? []
  if (givenName === undefined || padded === undefined) throw new MalformedResponse("a header line is malformed")
  const name = givenName.toLowerCase()
  const value = trimWhitespace(padded)
  const previous = headers[name]
  // with two lengths, a response could hide another one
  if (name === "content-length" && previous !== undefined && previous !== value)
    throw new MalformedResponse("it has two content lengths")
  if (previous === undefined) headers[name] = value
  else if (listHeaders.has(name)) headers[name] = `${previous}, ${value}`
}

/** Replaces `trim`, which would also remove bytes of UTF-8 letters. A regular expression could be slow. */
const trimWhitespace = (text: string): string => {
  let start = 0
  let end = text.length
  while (start < end && isWhitespace(text, start)) start++
  while (end > start && isWhitespace(text, end - 1)) end--
  return text.slice(start, end)
}

const isWhitespace = (text: string, at: number) => text[at] === " " || text[at] === "\t"

const includesToken = (list: string, token: string) =>
  list !== "" && list.split(",").some((each) => each.trim().toLowerCase() === token)

const lengthOf = (length: string | undefined, coding: string | undefined): Head["length"] => {
  if (coding !== undefined) return /(?:^|[ \t,])chunked$/i.test(coding) ? "chunked" : "close"
  if (length === undefined) return "close"
  if (!/^\d{1,15}$/.test(length)) throw new MalformedResponse("its content length is not a number")
  return Number(length)
}
