/**
 * The two places on a host that give credentials over plain HTTP: the instance metadata of EC2, and the endpoint that
 * ECS and EKS give to a container.
 *
 * Sources: "Use the Instance Metadata Service" and "Retrieve security credentials from instance metadata" (EC2 User
 * Guide), "Container credential provider" (AWS SDKs and Tools Reference Guide).
 */
import { randomBytes } from "node:crypto"
import type { Server } from "node:net"
import { isoSeconds, type TemporaryCredentials, Issuer, type IssuerOptions } from "./credentials/Issuer.ts"
import { type Answer, type ReceivedRequest, type Behaviour, HttpService } from "./credentials/HttpService.ts"

/** What a client goes through: three steps on an instance, one in a container. */
export type Step = "token" | "role" | "credentials" | "container"

/** How to start it. */
export interface MetadataOptions extends Partial<Behaviour>, IssuerOptions {
  /** What a step answers in place of what it should. It may be changed while it runs. */
  steps?: Partial<Record<Step, number | "hang">>
  /** What a container has to send as Authorization. Default: container-token. */
  containerToken?: string
  /** Where the instance runs. Default: it does not say. */
  region?: string
  /** What listens already: at the address where instances look, say. */
  listener?: Server
}

/** One request. */
export interface MetadataRequest {
  method: string
  path: string
  /** It carried a session token, so it was not of version 1. */
  hadToken: boolean
  authorization: string | undefined
  status: number | undefined
}

const credentialsPath = "/latest/meta-data/iam/security-credentials/"
const ttlHeader = "x-aws-ec2-metadata-token-ttl-seconds"
const tokenHeader = "x-aws-ec2-metadata-token"

const plain = (status: number, body = "", headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { "content-type": "text/plain", ...headers },
  body
})

const json = (status: number, value: unknown): Answer => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value)
})

const fields = (issued: TemporaryCredentials) => ({
  AccessKeyId: issued.accessKeyId,
  SecretAccessKey: issued.secretAccessKey,
  Token: issued.sessionToken,
  Expiration: isoSeconds(issued.expiration)
})

/** Version 2 only, as `HttpTokens=required` makes it: a request without a session token is refused with 401. */
export class Metadata {
  readonly issuer: Issuer
  readonly behaviour: Behaviour
  readonly steps: Partial<Record<Step, number | "hang">>
  containerToken: string
  readonly role = "snapshots-writer"
  readonly region: string | undefined
  readonly #service: HttpService
  // by token, when it ends
  readonly #tokens: Map<string, number>

  private constructor(service: HttpService, options: MetadataOptions) {
    this.#service = service
    this.behaviour = service.behaviour
    this.issuer = new Issuer(options)
    this.steps = options.steps ?? {}
    this.containerToken = options.containerToken ?? "container-token"
    this.region = options.region
    this.#tokens = new Map()
  }

  static async start(options: MetadataOptions = {}): Promise<Metadata> {
    const service = await HttpService.start(options, (asked) => metadata.#answer(asked))
    const metadata: Metadata = new Metadata(service, options)
    return metadata
  }

  /** What AWS_EC2_METADATA_SERVICE_ENDPOINT is set to. */
  get url(): string {
    return this.#service.url
  }

  /** What AWS_CONTAINER_CREDENTIALS_FULL_URI is set to. */
  get containerUrl(): string {
    return `${this.#service.url}/container/credentials`
  }

  get requests(): MetadataRequest[] {
    return this.#service.requests.map(({ headers, method, path, status }) => ({
      method,
      path,
      hadToken: headers[tokenHeader] !== undefined,
      authorization: headers.authorization,
      status
    }))
  }

  /** The requests of version 1: they ask for metadata without a session token. */
  get versionOne(): MetadataRequest[] {
    return this.requests.filter(({ hadToken, path }) => path.startsWith("/latest/meta-data") && !hadToken)
  }

  stop(): Promise<void> {
    return this.#service.stop()
  }

  #answer(asked: ReceivedRequest): Answer | undefined {
    const step = stepOf(asked)
    const instead = step && this.steps[step]
    if (instead === "hang") return undefined
    if (instead !== undefined && instead !== 200) return plain(instead)
    if (step === "token") return this.#token(asked)
    if (step === "container") return this.#container(asked)
    if (!this.#isSession(asked)) return plain(401)
    if (step === "role") return plain(200, this.role)
    if (step === "credentials" && asked.path === credentialsPath + this.role) {
      const about = { Code: "Success", LastUpdated: isoSeconds(new Date()), Type: "AWS-HMAC" }
      return plain(200, JSON.stringify({ ...about, ...fields(this.issuer.issue()) }))
    }
    if (asked.path === "/latest/meta-data/placement/region" && this.region !== undefined) return plain(200, this.region)
    return plain(404)
  }

  #token({ headers }: ReceivedRequest): Answer {
    const seconds = Number(headers[ttlHeader])
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > 21_600) return plain(400)
    // it came through a proxy, which an instance's own requests do not
    if (headers["x-forwarded-for"] !== undefined) return plain(403)
    const token = randomBytes(32).toString("base64")
    this.#tokens.set(token, Date.now() + seconds * 1000)
    return plain(200, token, { [ttlHeader]: String(seconds) })
  }

  #isSession({ headers }: ReceivedRequest): boolean {
    const token = headers[tokenHeader]
    return typeof token === "string" && (this.#tokens.get(token) ?? 0) > Date.now()
  }

  #container({ headers }: ReceivedRequest): Answer {
    if (headers.authorization !== this.containerToken)
      return json(401, { code: "Unauthorized", message: "wrong token" })
    const RoleArn = `arn:aws:iam::123456789012:role/${this.role}`
    return json(200, { RoleArn, ...fields(this.issuer.issue()) })
  }
}

const stepOf = ({ method, path }: ReceivedRequest): Step | undefined => {
  if (method === "PUT") return path === "/latest/api/token" ? "token" : undefined
  if (method !== "GET") return undefined
  if (path.startsWith("/container/")) return "container"
  if (path === credentialsPath || `${path}/` === credentialsPath) return "role"
  return path.startsWith(credentialsPath) ? "credentials" : undefined
}
