/**
 * The part of AWS STS that issues credentials of a role: AssumeRole and AssumeRoleWithWebIdentity. It does not verify
 * signatures, but requires one for AssumeRole and records its access key.
 *
 * Sources: the two actions and "Common errors" in the AWS Security Token Service API Reference.
 */
import { type TemporaryCredentials, isoSeconds, Issuer, type IssuerOptions } from "./credentials/Issuer.ts"
import {
  type Answer,
  type ReceivedRequest,
  type Behaviour,
  HttpService,
  type ServiceOptions
} from "./credentials/HttpService.ts"

export interface Refusal {
  status: number
  code: string
}

/** The refusals that a client must distinguish. */
export const refusals = {
  accessDenied: { status: 403, code: "AccessDenied" },
  /** The web identity token has expired. */
  expiredToken: { status: 400, code: "ExpiredTokenException" },
  invalidIdentityToken: { status: 400, code: "InvalidIdentityToken" },
  invalidClientTokenId: { status: 403, code: "InvalidClientTokenId" },
  unavailable: { status: 503, code: "ServiceUnavailable" }
} as const satisfies Record<string, Refusal>

export interface StsOptions extends ServiceOptions, IssuerOptions {
  /** The only token that AssumeRoleWithWebIdentity accepts. Default: web-identity-token. */
  webIdentityToken?: string
}

export interface StsRequest {
  action: string | undefined
  roleArn: string | undefined
  sessionName: string | undefined
  /** The access key that signed the request. */
  accessKeyId: string | undefined
  /** The region in the signature. */
  region: string | undefined
  webIdentityToken: string | undefined
  status: number | undefined
}

const namespace = `xmlns="https://sts.amazonaws.com/doc/2011-06-15/"`
const requestId = "c6104cbe-af31-11e0-8154-cbc7ccf896c7"

const errorAnswer = ({ code, status }: Refusal): Answer => ({
  status,
  headers: { "content-type": "text/xml" },
  body:
    `<ErrorResponse ${namespace}><Error><Type>${status < 500 ? "Sender" : "Receiver"}</Type><Code>${code}</Code>` +
    `<Message>the fake STS says ${code}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`
})

const credentialsAnswer = (action: string, arn: string, sessionName: string, issued: TemporaryCredentials): Answer => ({
  status: 200,
  headers: { "content-type": "text/xml" },
  body:
    `<${action}Response ${namespace}><${action}Result>` +
    `<AssumedRoleUser><Arn>${arn}/${sessionName}</Arn><AssumedRoleId>AROA:${sessionName}</AssumedRoleId></AssumedRoleUser>` +
    `<Credentials><AccessKeyId>${issued.accessKeyId}</AccessKeyId>` +
    `<SecretAccessKey>${issued.secretAccessKey}</SecretAccessKey><SessionToken>${issued.sessionToken}</SessionToken>` +
    `<Expiration>${isoSeconds(issued.expiration)}</Expiration></Credentials></${action}Result>` +
    `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${action}Response>`
})

const parseRequest = ({ body, headers, status }: ReceivedRequest): StsRequest => {
  const query = new URLSearchParams(body)
  const scope = /Credential=([^/,\s]+)\/\d{8}\/([^/]+)\/sts\/aws4_request/.exec(headers.authorization ?? "")
  return {
    action: query.get("Action") ?? undefined,
    roleArn: query.get("RoleArn") ?? undefined,
    sessionName: query.get("RoleSessionName") ?? undefined,
    accessKeyId: scope?.[1],
    region: scope?.[2],
    webIdentityToken: query.get("WebIdentityToken") ?? undefined,
    status
  }
}

export class Sts {
  readonly issuer: Issuer
  readonly behaviour: Behaviour
  webIdentityToken: string
  /** If set, the response to every request. */
  refusal: Refusal | undefined
  readonly #service: HttpService

  private constructor(service: HttpService, options: StsOptions) {
    this.#service = service
    this.behaviour = service.behaviour
    this.issuer = new Issuer({ prefix: "ASIAROLE", ...options })
    this.webIdentityToken = options.webIdentityToken ?? "web-identity-token"
  }

  static async start(options: StsOptions = {}): Promise<Sts> {
    const service = await HttpService.start(
      options,
      (request) => sts.#answer(parseRequest(request)),
      errorAnswer(refusals.unavailable)
    )
    const sts: Sts = new Sts(service, options)
    return sts
  }

  /** The value for AWS_ENDPOINT_URL_STS. */
  get url(): string {
    return this.#service.url
  }

  get requests(): StsRequest[] {
    return this.#service.requests.map(parseRequest)
  }

  stop(): Promise<void> {
    return this.#service.stop()
  }

  #answer({ accessKeyId, action, roleArn, sessionName, webIdentityToken }: StsRequest): Answer {
    if (this.refusal !== undefined) return errorAnswer(this.refusal)
    if (action !== "AssumeRole" && action !== "AssumeRoleWithWebIdentity") {
      return errorAnswer({ status: 400, code: "InvalidAction" })
    }
    const isValid = /^arn:aws:iam::\d{12}:role\/.+$/.test(roleArn ?? "") && /^[\w+=,.@-]{2,64}$/.test(sessionName ?? "")
    if (!isValid || roleArn === undefined || sessionName === undefined) {
      return errorAnswer({ status: 400, code: "ValidationError" })
    }
    if (action === "AssumeRole" && accessKeyId === undefined) {
      return errorAnswer({ status: 403, code: "MissingAuthenticationToken" })
    }
    if (action === "AssumeRoleWithWebIdentity" && webIdentityToken !== this.webIdentityToken) {
      return errorAnswer(refusals.invalidIdentityToken)
    }
    return credentialsAnswer(action, roleArn, sessionName, this.issuer.issue())
  }
}
