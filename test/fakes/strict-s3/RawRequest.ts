import { HttpRequest } from "@smithy/core/protocols"
import { SignatureV4 } from "@smithy/signature-v4"
import { request } from "node:http"
import { sha256 } from "./Checksums.ts"
import { Sha256 } from "./Signature.ts"
import { parseQuery, splitTarget } from "./Target.ts"

/** The server to send raw requests to, and the credentials to sign them with. */
export interface RawClient {
  endpoint: string
  region: string
  accessKeyId: string
  secretAccessKey: string
}

/** A request that no SDK would send: the signed one and the sent one may differ. */
export interface RawRequest {
  method: string
  /** The request target as sent, including the query. */
  path: string
  body?: Buffer | string
  headers?: Record<string, string>
  /** Headers that are added after signing. */
  unsigned?: Record<string, string>
  /** Sent instead of the signed body. */
  sent?: Buffer | string
  /** Send the body with transfer-encoding chunked. */
  chunked?: boolean
  /** Close the connection once the body is written. */
  cut?: boolean
}

/** The status and the code of the answer, such as "403 AccessDenied"; "cut" if the connection breaks. */
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
