import type { Answer } from "./Types.ts"

/** An S3 error. */
export class S3Error extends Error {
  readonly status: number
  readonly code: string
  /** Further elements of the error document. */
  readonly details: Readonly<Record<string, string>>

  constructor(status: number, code: string, message: string, details: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
  }
}

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }

/** Escapes text for an XML document. Control characters become references, as in S3's answers. */
export const escapeXml = (text: string): string =>
  text
    .replace(/[&<>"]/g, (character) => escapes[character] ?? character)
    // oxlint-disable-next-line no-control-regex -- keys may contain them
    .replace(/[\u0000-\u001f\u007f]/g, (character) => `&#x${character.charCodeAt(0).toString(16)};`)

/** The reverse of escapeXml, for documents that clients send. */
export const unescapeXml = (text: string): string =>
  text
    .replace(/&quot;|&#34;|&#x22;/gi, '"')
    .replace(/&apos;|&#39;/g, "'")
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&amp;/g, "&")

/** An XML element that contains text. */
export const element = (name: string, text: string | number): string => `<${name}>${escapeXml(String(text))}</${name}>`

const declaration = `<?xml version="1.0" encoding="UTF-8"?>\n`

/** A successful answer with an XML document. */
export const document = (name: string, content: string, headers: Record<string, string> = {}): Answer => ({
  status: 200,
  headers: { "content-type": "application/xml", ...headers },
  body: `${declaration}<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${name}>`
})

/** The answer to a request that failed with an S3 error. */
export const errorDocument = (error: S3Error, resource: string, requestId: string): Answer => {
  const details = Object.entries(error.details).map(([name, text]) => element(name, text))
  const content = [
    element("Code", error.code),
    element("Message", error.message),
    ...details,
    element("Resource", resource),
    element("RequestId", requestId)
  ]
  return {
    status: error.status,
    headers: { "content-type": "application/xml" },
    body: `${declaration}<Error>${content.join("")}</Error>`
  }
}

/** Makes the checksum in an answer wrong, in its headers and its body. */
export const spoilChecksum = (answer: Answer): Answer => {
  const alter = (value: string): string => (value.startsWith("A") ? "B" : "A") + value.slice(1)
  const body =
    typeof answer.body === "string"
      ? answer.body.replace(/(?<=<Checksum(CRC32|SHA256)>).*?(?=<)/, (value: string) => alter(value))
      : answer.body
  const headers = Object.entries(answer.headers ?? {}).map(([name, value]) =>
    /^x-amz-checksum-(crc32|sha256)$/.test(name) ? [name, alter(value)] : [name, value]
  )
  return { status: answer.status, headers: Object.fromEntries(headers), ...(body === undefined ? {} : { body }) }
}
