/**
 * The portal of IAM Identity Center, which gives a logged-in user the credentials of a role, and the file that stores the
 * user's SSO session.
 *
 * Sources: GetRoleCredentials in the IAM Identity Center Portal API Reference; "IAM Identity Center credential
 * provider" in the AWS SDKs and Tools Reference Guide.
 */
import { createHash } from "node:crypto"
import { Issuer, type IssuerOptions, isoSeconds } from "./credentials/Issuer.ts"
import {
  type Answer,
  type ReceivedRequest,
  type Behaviour,
  HttpService,
  type ServiceOptions
} from "./credentials/HttpService.ts"

export interface SsoPortalOptions extends ServiceOptions, IssuerOptions {
  /** The token of its only session. Default: sso-token. */
  accessToken?: string
  accountId?: string
  roleName?: string
}

const exception = (status: number, type: string): Answer => ({
  status,
  headers: { "content-type": "application/json", "x-amzn-errortype": type },
  body: JSON.stringify({ message: `the fake portal says ${type}`, __type: type })
})

export class SsoPortal {
  readonly issuer: Issuer
  readonly behaviour: Behaviour
  /** A test may change it, for example when a session ends. */
  accessToken: string
  readonly accountId: string
  readonly roleName: string
  readonly #service: HttpService

  private constructor(service: HttpService, options: SsoPortalOptions) {
    this.#service = service
    this.behaviour = service.behaviour
    this.issuer = new Issuer({ prefix: "ASIASSO", ...options })
    this.accessToken = options.accessToken ?? "sso-token"
    this.accountId = options.accountId ?? "123456789012"
    this.roleName = options.roleName ?? "SnapshotsWriter"
  }

  static async start(options: SsoPortalOptions = {}): Promise<SsoPortal> {
    const unavailable = exception(503, "ServiceUnavailable")
    const service = await HttpService.start(options, (request) => portal.#answer(request), unavailable)
    const portal: SsoPortal = new SsoPortal(service, options)
    return portal
  }

  /** The value for AWS_ENDPOINT_URL_SSO. */
  get url(): string {
    return this.#service.url
  }

  get requests(): readonly ReceivedRequest[] {
    return this.#service.requests
  }

  /**
   * The files that `aws configure sso` and `aws sso login` create in a home directory, by relative path: a profile
   * `export`, and the token of its session.
   */
  home(expiresAt = new Date(Date.now() + 3_600_000)): Record<string, string> {
    const session = "customer"
    const startUrl = "https://customer.awsapps.com/start"
    const name = createHash("sha1").update(session).digest("hex")
    const region = "eu-central-1"
    return {
      ".aws/config": [
        "[profile export]",
        `sso_session = ${session}`,
        `sso_account_id = ${this.accountId}`,
        `sso_role_name = ${this.roleName}`,
        `[sso-session ${session}]`,
        `sso_start_url = ${startUrl}`,
        `sso_region = ${region}`,
        ""
      ].join("\n"),
      [`.aws/sso/cache/${name}.json`]: JSON.stringify({
        startUrl,
        region,
        accessToken: this.accessToken,
        expiresAt: isoSeconds(expiresAt)
      })
    }
  }

  stop(): Promise<void> {
    return this.#service.stop()
  }

  #answer({ headers, method, path }: ReceivedRequest): Answer {
    const { pathname, searchParams } = new URL(path, this.url)
    if (method !== "GET" || pathname !== "/federation/credentials") return exception(404, "UnknownOperationException")
    if (headers["x-amz-sso_bearer_token"] !== this.accessToken) return exception(401, "UnauthorizedException")
    if (searchParams.get("account_id") !== this.accountId || searchParams.get("role_name") !== this.roleName) {
      return exception(403, "ForbiddenException")
    }
    const { expiration, ...issued } = this.issuer.issue()
    const roleCredentials = { ...issued, expiration: expiration.getTime() }
    return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ roleCredentials }) }
  }
}
