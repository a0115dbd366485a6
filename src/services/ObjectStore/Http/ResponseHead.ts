/** The head of an answer: RFC 9112, sections 4, 5 and 6. */

/** What came is no answer. */
export class MalformedResponse extends Error {
  override readonly name = "Garbled"
  readonly code = "ERR_HTTP_GARBLED"
}

export interface Head {
  readonly status: number
  /** By their names in lower case; of those that come twice, the first. Values as latin1, without blanks around them. */
  readonly headers: Readonly<Record<string, string>>
  /** The connection is good for another request. */
  readonly keepsAlive: boolean
  /** Bytes of the body, or how its end is found. */
  readonly length: number | "chunked" | "close"
}

const version = "HTTP/1."

/** Who speaks another protocol may say little, and then wait. */
export const checkBeginning = (bytes: Buffer): void => {
  if (!version.startsWith(bytes.toString("latin1", 0, version.length)))
    throw new MalformedResponse("what came is not HTTP")
}

/** Nobody who ends lines in this way says where the head ends; and some take it for an end where others do not. */
export const checkLines = (text: string): void => {
  if (/(?:^|[^\r])\n/.test(text)) throw new MalformedResponse("a line of the head does not end as it should")
}

/** `text`: without the empty line at its end. */
export const parse = (text: string): Head => {
  // a line that begins with a blank goes on with the one before it
  const [statusLine = "", ...lines] = text.replace(/\r\n[ \t]+/g, " ").split("\r\n")
  const [, minor, digits] = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/.exec(statusLine) ?? []
  if (digits === undefined) throw new MalformedResponse("the status line is none")
  const headers: Record<string, string> = Object.create(null)
  for (const line of lines) add(headers, line)

  const status = Number(digits)
  const { connection = "", "content-length": length, "transfer-encoding": coding } = headers
  // who gives both, or the newer one in the older version, may mean another end than we see
  const isCertain = coding === undefined || (minor === "1" && length === undefined)
  return {
    status,
    headers,
    keepsAlive: isCertain && !names(connection, "close") && (minor === "1" || names(connection, "keep-alive")),
    length: status === 204 || status === 304 ? 0 : lengthOf(length, coding)
  }
}

const header = /^([\w!#$%&'*+.^`|~-]+):([\t\x20-\x7e\x80-\xff]*)$/
/** Given twice, they mean both. */
const lists = new Set(["connection", "transfer-encoding"])

const add = (headers: Record<string, string>, line: string) => {
  const [, givenName, padded] = header.exec(line) ?? []
  if (givenName === undefined || padded === undefined) throw new MalformedResponse("a line of the head is no header")
  const name = givenName.toLowerCase()
  const value = unpadded(padded)
  const former = headers[name]
  // two lengths are how one answer is smuggled into another
  if (name === "content-length" && former !== undefined && former !== value)
    throw new MalformedResponse("it has two lengths")
  if (former === undefined) headers[name] = value
  else if (lists.has(name)) headers[name] = `${former}, ${value}`
}

/** `trim` takes what may be the half of a letter in UTF-8, and a regular expression may take long. */
const unpadded = (text: string): string => {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text, start)) start++
  while (end > start && isBlank(text, end - 1)) end--
  return text.slice(start, end)
}

const isBlank = (text: string, at: number) => text[at] === " " || text[at] === "\t"

const names = (list: string, option: string) =>
  list !== "" && list.split(",").some((each) => each.trim().toLowerCase() === option)

const lengthOf = (length: string | undefined, coding: string | undefined): Head["length"] => {
  if (coding !== undefined) return /(?:^|[ \t,])chunked$/i.test(coding) ? "chunked" : "close"
  if (length === undefined) return "close"
  if (!/^\d{1,15}$/.test(length)) throw new MalformedResponse("its length is no number")
  return Number(length)
}
