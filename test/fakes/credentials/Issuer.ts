import type { Identity } from "../StrictS3.ts"

/** How credentials are issued. */
export interface IssuerOptions {
  /** Where each issued identity is added: an array that a `StrictS3` was started with accepts it from then on. */
  identities?: Identity[]
  /** How long issued credentials live. Default: an hour. */
  lifetimeMs?: number
  /** Whether each call issues new ones. Without, the last are given again as long as they live. Default: true. */
  rotate?: boolean
  /** What the access key ids begin with. Default: ASIA. */
  prefix?: string
  /** Default: write anything, abort nothing. */
  permissions?: Identity["permissions"]
}

/** Temporary credentials, as a source hands them out. */
export interface TemporaryCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken: string
  /** A whole second: AWS writes no fractions. */
  expiration: Date
}

/** A time as AWS writes it: `2026-11-22T14:00:00Z`. */
export const isoSeconds = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`

/** Issues temporary credentials, which stop working when they say they do. */
export class Issuer {
  readonly identities: Identity[]
  lifetimeMs: number
  rotate: boolean
  readonly #prefix: string
  readonly #permissions: Identity["permissions"]
  readonly #mine: Identity[] = []
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
    const number = this.#mine.length + 1
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
    this.#mine.push(identity)
    this.identities.push(identity)
    this.#last = issued
    return issued
  }

  /** The access key ids that were issued, in order. */
  get issued(): string[] {
    return this.#mine.map(({ accessKeyId }) => accessKeyId)
  }

  /** What was issued until now is no longer accepted, whatever it says of itself. */
  expireAll(): void {
    for (const identity of this.#mine) identity.expired = true
    this.#last = undefined
  }
}
