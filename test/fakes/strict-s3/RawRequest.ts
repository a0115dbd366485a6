import { HttpRequest } from "@smithy/core/protocols"
import { SignatureV4 } from "@smithy/signature-v4"
import { request } from "node:http"
import { sha256 } from "./Checksums.ts"
import { Sha256 } from "./Signature.ts"
import { parseQuery, splitTarget } from "./Target.ts"

/** Where to send raw requests, and as whom. */
export interface RawClient {
  endpoint: string
  region: string
  accessKeyId: string
  secretAccessKey: string
}

/** A request as no SDK would make it: what is signed and what is sent may differ. */
export interface RawRequest {
  method: string
  /** As on the wire, with the query. */
  path: string
  body?: Buffer | string
  headers?: Record<string, string>
  /** Added after signing. */
  unsigned?: Record<string, string>
  /** Sent in place of the body that was signed. */
  sent?: Buffer | string
  /** Send with transfer-encoding chunked. */
  chunked?: boolean
  /** Cut the connection when what is sent is out. */
  cut?: boolean
}

/** The answer as status and code, such as "403 AccessDenied". */
export const sendRaw = async (client: RawClient, raw: RawRequest): Promise<string> => {
  const url = new URL(client.endpoint)
  const body = Buffer.from(raw.body ?? "")
  const [path, query] = splitTarget(raw.path)
  const signer = new SignatureV4({
    service: "s3",
    region: client.region,
    credentials: { accessKeyId: client.accessKeyId, secretAccessKey: client.secretAccessKey },
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false
  })
  const signed = await signer.sign(
    new HttpRequest({
      method: raw.method,
      path,
      query: Object.fromEntries(parseQuery(query)),
      headers: { host: url.host, "x-amz-content-sha256": sha256(body).toString("hex"), ...raw.headers }
    })
  )
  const sent = raw.sent ?? body
  const length: Record<string, string> =
    raw.chunked === true ? { "transfer-encoding": "chunked" } : { "content-length": String(body.length) }
  return new Promise((resolve) => {
    const outgoing = request(
      {
        host: url.hostname,
        port: url.port,
        method: raw.method,
        path: raw.path,
        headers: { ...length, ...signed.headers, ...raw.unsigned },
        agent: false
      },
      (answer) => {
        let text = ""
        answer.setEncoding("utf8")
        answer.on("data", (chunk: string) => {
          text += chunk
        })
        answer.on("error", () => resolve("cut"))
        answer.on("end", () => {
          const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1]
          resolve(code === undefined ? String(answer.statusCode) : `${answer.statusCode} ${code}`)
        })
      }
    )
    outgoing.on("error", () => resolve("cut"))
    if (raw.cut === true) outgoing.write(sent, () => outgoing.destroy())
    else outgoing.end(sent)
  })
}
