/** What `check` learns about a store beyond what an upload uses. */
import { Context, type Effect } from "effect"
import type { ConfigError, StoreError } from "../domain/Errors.ts"
import type { ObjectKey } from "../domain/ObjectKey.ts"

export interface Certificate {
  readonly subject: string
  readonly issuer: string
  /** In milliseconds since 1970. */
  readonly expiresAt: number
}

/** A connection to the store, without a request. */
export interface Connected {
  /** Address and port of the other end, which may be a proxy. */
  readonly peer: string
  /** Host and port of the proxy in use. */
  readonly proxy: string | undefined
  /** Undefined without TLS. */
  readonly certificate: Certificate | undefined
}

export interface Identity {
  /** The credential source. */
  readonly source: string
  readonly accessKeyId: string
  /** Of a session: when it ends, in milliseconds since 1970. */
  readonly expiresAt: number | undefined
}

/** Permissions that a host should not have. */
export type Excess = "s3:ListBucket" | "s3:GetObject" | "s3:DeleteObject"

export class StoreProbe extends Context.Tag("ibsr-export/StoreProbe")<
  StoreProbe,
  {
    /** Addresses of the store's host; undefined if a proxy looks them up. */
    readonly lookUp: Effect.Effect<ReadonlyArray<string> | undefined, StoreError>
    readonly connect: Effect.Effect<Connected, StoreError>
    readonly identity: Effect.Effect<Identity, StoreError>
    /** The region that requests are signed for, and the setting that it comes from. */
    readonly region: Effect.Effect<string, ConfigError>
    /** Creates the object twice. Whether the store refuses the second request, as `If-None-Match: *` demands. */
    readonly honoursCondition: (key: ObjectKey) => Effect.Effect<boolean, StoreError>
    /** Tries a request that a host should not be allowed to make, on an object of `check` itself. */
    readonly isAllowed: (permission: Excess, key: ObjectKey) => Effect.Effect<boolean, StoreError>
  }
>() {}
