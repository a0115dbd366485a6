/**
 * AWS STS, as far as it makes a role's credentials: AssumeRole and AssumeRoleWithWebIdentity. Signatures are not
 * verified, but an AssumeRole must have one, and the access key that it names is recorded.
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

/** A refusal in place of an answer. */
export interface Refusal {
  status: number
  code: string
}

/** The refusals that a client must tell apart. */
export const refusals = {
  accessDenied: { status: 403, code: "AccessDenied" },
  /** The web identity token has expired. */
  expiredToken: { status: 400, code: "ExpiredTokenException" },
  invalidIdentityToken: { status: 400, code: "InvalidIdentityToken" },
  invalidClientTokenId: { status: 403, code: "InvalidClientTokenId" },
  unavailable: { status: 503, code: "ServiceUnavailable" }
} as const satisfies Record<string, Refusal>

/** How to start it. */
export interface StsOptions extends ServiceOptions, IssuerOptions {
  /** The one that AssumeRoleWithWebIdentity accepts. Default: web-identity-token. */
  webIdentityToken?: string
}

/** One request. */
export interface StsRequest {
  action: string | undefined
  roleArn: string | undefined
  sessionName: string | undefined
  /** Who signed it. */
  accessKeyId: string | undefined
  /** What it was signed for. */
  region: string | undefined
  webIdentityToken: string | undefined
  status: number | undefined
}

const namespace = `xmlns="https://sts.amazonaws.com/doc/2011-06-15/"`
const requestId = "c6104cbe-af31-11e0-8154-cbc7ccf896c7"

const refused = ({ code, status }: Refusal): Answer => ({
  status,
  headers: { "content-type": "text/xml" },
  body:
    `<ErrorResponse ${namespace}><Error><Type>${status < 500 ? "Sender" : "Receiver"}</Type><Code>${code}</Code>` +
    `<Message>the fake STS says ${code}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`
})

const granted = (action: string, arn: string, sessionName: string, issued: TemporaryCredentials): Answer => ({
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

const read = ({ body, headers, status }: ReceivedRequest): StsRequest => {
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
  /** Answered to every request while it is set. */
  refusal: Refusal | undefined
  readonly #service: HttpService

  private constructor(service: HttpService, options: StsOptions) {
    this.#service = service
    this.behaviour = service.behaviour
    this.issuer = new Issuer({ prefix: "ASIAROLE", ...options })
    this.webIdentityToken = options.webIdentityToken ?? "web-identity-token"
  }

  static async start(options: StsOptions = {}): Promise<Sts> {
    const service = await HttpService.start(options, (asked) => sts.#answer(read(asked)), refused(refusals.unavailable))
    const sts: Sts = new Sts(service, options)
    return sts
  }

  /** What AWS_ENDPOINT_URL_STS is set to. */
  get url(): string {
    return this.#service.url
  }

  get requests(): StsRequest[] {
    return this.#service.requests.map(read)
  }

  stop(): Promise<void> {
    return this.#service.stop()
  }

  #answer({ accessKeyId, action, roleArn, sessionName, webIdentityToken }: StsRequest): Answer {
    if (this.refusal !== undefined) return refused(this.refusal)
    if (action !== "AssumeRole" && action !== "AssumeRoleWithWebIdentity") {
      return refused({ status: 400, code: "InvalidAction" })
    }
    const sound = /^arn:aws:iam::\d{12}:role\/.+$/.test(roleArn ?? "") && /^[\w+=,.@-]{2,64}$/.test(sessionName ?? "")
    if (!sound || roleArn === undefined || sessionName === undefined) {
      return refused({ status: 400, code: "ValidationError" })
    }
    if (action === "AssumeRole" && accessKeyId === undefined) {
      return refused({ status: 403, code: "MissingAuthenticationToken" })
    }
    if (action === "AssumeRoleWithWebIdentity" && webIdentityToken !== this.webIdentityToken) {
      return refused(refusals.invalidIdentityToken)
    }
    return granted(action, roleArn, sessionName, this.issuer.issue())
  }
}
