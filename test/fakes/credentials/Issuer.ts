import type { Identity } from "../../../scripts/strict-s3/StrictS3.ts"

export interface IssuerOptions {
  /** Receives each issued identity. A `StrictS3` that was started with this array accepts them from then on. */
  identities?: Identity[]
  /** The lifetime of issued credentials. Default: an hour. */
  lifetimeMs?: number
  /** Whether each call issues new credentials, even if the last ones have not expired. Default: true. */
  rotate?: boolean
  /** The prefix of the access key IDs. Default: ASIA. */
  prefix?: string
  /** The permissions of the identity. Default: it may write any key, but not abort an upload. */
  permissions?: Identity["permissions"]
}

export interface TemporaryCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken: string
  /** A whole second, because AWS writes no fractions. */
  expiration: Date
}

/** A time in AWS's format: `2026-11-22T14:00:00Z`. */
export const isoSeconds = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`

/** Issues temporary credentials, which stop working at their stated expiry. */
export class Issuer {
  readonly identities: Identity[]
  lifetimeMs: number
  rotate: boolean
  readonly #prefix: string
  readonly #permissions: Identity["permissions"]
  readonly #issued: Identity[] = []
  #last: TemporaryCredentials | undefined

  constructor(options: IssuerOptions = {}) {
    this.identities = options.identities ?? []
    this.lifetimeMs = options.lifetimeMs ?? 3_600_000
    this.rotate = options.rotate ?? true
    this.#prefix = options.prefix ?? "ASIA"
    this.#permissions = options.permissions ?? { prefix: "", abort: false }
  }

  issue(): TemporaryCredentials {
    if (!this.rotate && this.#last !== undefined && this.#last.expiration.getTime() > Date.now()) return this.#last
    const number = this.#issued.length + 1
    const end = Math.floor((Date.now() + this.lifetimeMs) / 1000) * 1000
    const issued: TemporaryCredentials = {
      accessKeyId: `${this.#prefix}${number}`,
      secretAccessKey: `secret-of-${this.#prefix}${number}`,
      sessionToken: `session-of-${this.#prefix}${number}`,
      expiration: new Date(end)
    }
    const { expiration: _, ...keys } = issued
    let revoked = false
    const identity: Identity = {
      ...keys,
      permissions: this.#permissions,
      get expired() {
        return revoked || Date.now() >= end
      },
      set expired(value) {
        revoked = value
      }
    }
    this.#issued.push(identity)
    this.identities.push(identity)
    this.#last = issued
    return issued
  }

  /** The issued access key IDs, oldest first. */
  get issued(): string[] {
    return this.#issued.map(({ accessKeyId }) => accessKeyId)
  }

  /** Expires all credentials issued so far, whatever their stated expiry. */
  expireAll(): void {
    for (const identity of this.#issued) identity.expired = true
    this.#last = undefined
  }
}
