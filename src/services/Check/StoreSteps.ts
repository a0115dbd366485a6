/** The steps of `check` that send requests to the store. */
import { Clock, type Context, Duration, Effect, Either, Option } from "effect"
import * as DurationText from "../../domain/DurationText.ts"
import type { ConfigError, StoreError } from "../../domain/Errors.ts"
import * as ObjectKey from "../../domain/ObjectKey.ts"
import type { Settings } from "../../domain/Settings.ts"
import { describeClockOffset } from "../../domain/StoreTraits.ts"
import * as Check from "../../report/Check.ts"
import { ObjectStore, type UploadName } from "../ObjectStore.ts"
import { type Connected, type Excess, StoreProbe } from "../StoreProbe.ts"
import { markerName } from "../Uploads/OverwriteProtection.ts"

export interface Options extends Pick<Settings, "bucket" | "endpoint" | "noOverwrite" | "prefix"> {
  /** Whether to store the canary. Otherwise a multipart upload is created and aborted. */
  readonly canary: boolean
}

/** The canary's key below the prefix. Its name does not match the default of `--include`, so no file has this key. */
export const canaryName = "ibsr-export.check"

const canaryBody = Buffer.from("ibsr-export check stored this. It is safe to delete.\n")

/** A certificate that expires within this time causes a warning. */
const certificateMargin = Duration.days(14)

/** Stores refuse signatures whose time differs by 15 minutes or more. */
const largestClockOffset = Duration.minutes(5)

type Failure = StoreError | ConfigError

/** Stops after a step that failed, because the next steps depend on it. */
export const run = (options: Options): Effect.Effect<ReadonlyArray<Check.Result>, never, ObjectStore | StoreProbe> =>
  Effect.gen(function* () {
    const probe = yield* StoreProbe
    const results: Array<Check.Result> = []
    const step = <A>(name: Check.Step, effect: Effect.Effect<A, Failure>, onSuccess: (value: A) => Check.Result) =>
      Effect.map(Effect.either(effect), (outcome) => {
        results.push(Either.match(outcome, { onLeft: (error) => Check.failed(name, error), onRight: onSuccess }))
        return Option.getRight(outcome)
      })

    const region = yield* step("region", probe.region, (text) => Check.ok("region", text))
    const named: Option.Option<unknown> = Option.isNone(region)
      ? region
      : yield* step("name", probe.lookUp, (addresses) =>
          addresses === undefined
            ? Check.skip("name", "nothing to look up here: the endpoint is an address, or a proxy looks it up")
            : Check.ok("name", addresses.join(", "))
        )
    const connected = Option.isNone(named)
      ? Option.none<Connected>()
      : yield* step("connection", probe.connect, ({ peer, proxy }) =>
          Check.ok("connection", proxy === undefined ? peer : `through the proxy ${proxy}`)
        )
    results.push(yield* tls(connected))
    const identity = yield* step("credentials", probe.identity, ({ accessKeyId, expiresAt, source }) =>
      Check.ok(
        "credentials",
        `${source}: access key ${masked(accessKeyId)}${expiresAt === undefined ? "" : `, until ${new Date(expiresAt).toISOString()}`}`
      )
    )
    if (Option.isSome(connected) && Option.isSome(identity)) results.push(...(yield* requests(options)))
    return results
  })

const tls = (connected: Option.Option<Connected>) =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    if (Option.isNone(connected)) return Check.skip("TLS", "no connection")
    const { certificate } = connected.value
    if (certificate === undefined) return Check.skip("TLS", "the endpoint is http: nothing is encrypted")
    const left = certificate.expiresAt - now
    const detail = `certificate for ${certificate.subject} by ${certificate.issuer}, until ${new Date(certificate.expiresAt).toISOString()}`
    return left < Duration.toMillis(certificateMargin)
      ? Check.warn(
          "TLS",
          `${detail}: it expires in ${DurationText.format(Duration.millis(Math.max(0, left)))}`,
          "renew it"
        )
      : Check.ok("TLS", detail)
  })

const masked = (accessKeyId: string) =>
  accessKeyId.length > 12 ? `${accessKeyId.slice(0, 4)}…${accessKeyId.slice(-4)}` : accessKeyId

/** The requests of an upload, and those that the host should not be allowed to make. */
const requests = (options: Options) =>
  Effect.gen(function* () {
    const [store, probe] = [yield* ObjectStore, yield* StoreProbe]
    const canary = ObjectKey.of(options.prefix, canaryName)
    const marker = ObjectKey.of(options.prefix, markerName)
    if (Either.isLeft(canary) || Either.isLeft(marker))
      return [Check.skip("put", "the prefix leaves no room for a key")]
    const key = canary.right
    const put = options.canary
      ? yield* Effect.either(store.put({ key, state: "final" }, canaryBody))
      : Either.right(undefined)
    if (Either.isLeft(put)) return [Check.failed("put", put.left)]
    const created = yield* Effect.either(store.createUpload({ key, state: "final" }))
    if (Either.isLeft(created)) return [Check.failed("put", created.left)]
    const traits = yield* store.traits
    return [
      Check.ok("put", options.canary ? `stored ${key}; readers ignore it` : `created a multipart upload for ${key}`),
      clock(traits?.clockOffsetMillis ?? 0),
      checksum(traits?.checksum ?? "none"),
      options.canary
        ? yield* condition(probe, marker.right, options)
        : Check.skip("If-None-Match", "needs an object: --no-canary"),
      yield* abort(store, { key, uploadId: created.right.uploadId }),
      yield* privilege(probe, key, options)
    ]
  })

const clock = (offsetMillis: number) => {
  const detail =
    Math.abs(offsetMillis) < 2000 ? "this host's clock agrees with the store's" : describeClockOffset(offsetMillis)
  return Math.abs(offsetMillis) > Duration.toMillis(largestClockOffset)
    ? Check.warn(
        "clock",
        detail,
        "synchronise the clock (timedatectl): stores refuse signatures that are 15 minutes off"
      )
    : Check.ok("clock", detail)
}

const checksum = (name: string) =>
  name === "none"
    ? Check.warn(
        "checksum",
        "the store accepts no checksum header",
        "nothing: the signature covers the SHA-256 of every body"
      )
    : Check.ok("checksum", `the store verifies ${name === "MD5" ? "Content-MD5" : "SHA-256"}`)

const condition = (probe: Context.Tag.Service<StoreProbe>, key: ObjectKey.ObjectKey, { noOverwrite }: Options) =>
  Effect.match(probe.honoursCondition(key), {
    onFailure: (error) => Check.warn("If-None-Match", `not known: ${error.message}`, error.hint),
    onSuccess: (isHonoured) => {
      if (isHonoured) return Check.ok("If-None-Match", "honoured: --no-overwrite works")
      const detail = "ignored: the store replaces existing objects"
      return noOverwrite
        ? Check.warn(
            "If-None-Match",
            detail,
            "remove --no-overwrite, which ends every run with 61, and version the bucket"
          )
        : Check.ok("If-None-Match", `${detail}; --no-overwrite does not work here`)
    }
  })

const abort = (store: Context.Tag.Service<ObjectStore>, upload: UploadName) =>
  Effect.match(store.abortUpload(upload), {
    onFailure: (error) =>
      error._tag === "AccessDenied"
        ? Check.warn(
            "abort",
            "the host may not abort multipart uploads: unfinished ones stay in the bucket, invisible but billed",
            "allow s3:AbortMultipartUpload, or add the rule that 'ibsr-export policy --for lifecycle' prints"
          )
        : Check.warn("abort", error.message, error.hint),
    onSuccess: () => Check.ok("abort", "multipart uploads can be created and aborted")
  })

const excesses: ReadonlyArray<Excess> = ["s3:ListBucket", "s3:GetObject", "s3:DeleteObject"]

const privilege = (probe: Context.Tag.Service<StoreProbe>, key: ObjectKey.ObjectKey, { canary }: Options) =>
  Effect.map(
    Effect.forEach(
      // skipped without the canary, because there is no object to read
      excesses.filter((permission) => canary || permission === "s3:ListBucket"),
      (permission) =>
        Effect.map(Effect.either(probe.isAllowed(permission, key)), (answer) => [permission, answer] as const)
    ),
    (answers) => {
      const allowed = answers.flatMap(([permission, answer]) =>
        Either.getOrElse(answer, () => false) ? [permission] : []
      )
      const unknown = answers.flatMap(([permission, answer]) => (Either.isLeft(answer) ? [permission] : []))
      if (allowed.length > 0)
        return Check.warn(
          "privilege",
          `the host may also ${allowed.join(", ")}`,
          "allow only what 'ibsr-export policy' prints"
        )
      return unknown.length > 0
        ? Check.skip("privilege", `not known for ${unknown.join(", ")}`)
        : Check.ok("privilege", "the store refuses to list, read and delete")
    }
  )
