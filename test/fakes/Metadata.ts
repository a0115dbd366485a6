/**
 * The two services that give a host credentials over plain HTTP: the instance metadata of EC2, and the endpoint that ECS
 * and EKS offer to a container.
 *
 * Sources: "Use the Instance Metadata Service" and "Retrieve security credentials from instance metadata" (EC2 User
 * Guide), "Container credential provider" (AWS SDKs and Tools Reference Guide).
 */
import { randomBytes } from "node:crypto"
import type { Server } from "node:net"
import { isoSeconds, type TemporaryCredentials, Issuer, type IssuerOptions } from "./credentials/Issuer.ts"
import { type Answer, type ReceivedRequest, type Behaviour, HttpService } from "./credentials/HttpService.ts"

/** The steps to credentials: three on an instance, one in a container. */
export type Step = "token" | "role" | "credentials" | "container"

export interface MetadataOptions extends Partial<Behaviour>, IssuerOptions {
  /** The status with which a step responds instead of its own. A test may change it at any time. */
  steps?: Partial<Record<Step, number | "hang">>
  /** The Authorization that a container has to send. Default: container-token. */
  containerToken?: string
  /** The region that the service reports. Default: none. */
  region?: string
  /** A server that already listens, for example at the address that instances use. */
  listener?: Server
}

export interface MetadataRequest {
  method: string
  path: string
  /** Whether the request carried a session token. Requests of version 1 have none. */
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

/** Supports only version 2, like `HttpTokens=required`: it refuses a request without a session token with 401. */
export class Metadata {
  readonly issuer: Issuer
  readonly behaviour: Behaviour
  readonly steps: Partial<Record<Step, number | "hang">>
  containerToken: string
  readonly role = "snapshots-writer"
  readonly instanceId = "i-0123456789abcdef0"
  readonly region: string | undefined
  readonly #service: HttpService
  // the expiry of each token, in milliseconds since 1970
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
    const service = await HttpService.start(options, (request) => metadata.#answer(request))
    const metadata: Metadata = new Metadata(service, options)
    return metadata
  }

  /** The value for AWS_EC2_METADATA_SERVICE_ENDPOINT. */
  get url(): string {
    return this.#service.url
  }

  /** The value for AWS_CONTAINER_CREDENTIALS_FULL_URI. */
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

  /** Requests of version 1: those for metadata without a session token. */
  get versionOne(): MetadataRequest[] {
    return this.requests.filter(({ hadToken, path }) => path.startsWith("/latest/meta-data") && !hadToken)
  }

  stop(): Promise<void> {
    return this.#service.stop()
  }

  #answer(request: ReceivedRequest): Answer | undefined {
    const step = stepOf(request)
    const override = step && this.steps[step]
    if (override === "hang") return undefined
    if (override !== undefined && override !== 200) return plain(override)
    if (step === "token") return this.#token(request)
    if (step === "container") return this.#container(request)
    if (!this.#isSession(request)) return plain(401)
    if (step === "role") return plain(200, this.role)
    if (step === "credentials" && request.path === credentialsPath + this.role) {
      const about = { Code: "Success", LastUpdated: isoSeconds(new Date()), Type: "AWS-HMAC" }
      return plain(200, JSON.stringify({ ...about, ...fields(this.issuer.issue()) }))
    }
    if (request.path === "/latest/meta-data/instance-id") return plain(200, this.instanceId)
    if (request.path === "/latest/meta-data/placement/region" && this.region !== undefined)
      return plain(200, this.region)
    return plain(404)
  }

  #token({ headers }: ReceivedRequest): Answer {
    const seconds = Number(headers[ttlHeader])
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > 21_600) return plain(400)
    // refuses a request that came through a proxy, because an instance's own requests never do
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
