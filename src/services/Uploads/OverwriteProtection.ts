/**
 * Finds out whether the store honours `If-None-Match: *`, on which `--no-overwrite` relies. Some stores ignore it, and
 * would silently replace objects. The program creates a small marker object below the prefix twice. The store must
 * refuse the second request. It must also refuse the first if an earlier run has left the marker.
 */
import { Effect, Either } from "effect"
import { ConfigError, type FileError, type Interrupted } from "../../domain/Errors.ts"
import * as ObjectKey from "../../domain/ObjectKey.ts"
import type { Settings } from "../../domain/Settings.ts"
import type { OpenLedger } from "../Ledger.ts"
import type { NewObject } from "../ObjectStore.ts"

/** The marker's key below the prefix. The name does not match the default of `--include`, so no file has this key. */
export const markerName = "ibsr-export.no-overwrite"

const content = Buffer.from("ibsr-export stored this to find out whether --no-overwrite works with this store.\n")

type Create = (object: NewObject, body: Uint8Array) => Effect.Effect<unknown, FileError | Interrupted>

/**
 * Fails if the store ignores the condition. Succeeds if the marker cannot be stored: the uploads then report the
 * reason.
 */
export const check = (
  ledger: OpenLedger,
  { noOverwrite, prefix }: Pick<Settings, "noOverwrite" | "prefix">,
  create: Create
) =>
  Effect.gen(function* () {
    const key = ObjectKey.of(prefix, markerName)
    if (!noOverwrite || ledger.honoursCondition || Either.isLeft(key)) return
    const attempt = Effect.either(create({ key: key.right, state: "final" }, content))
    const first = yield* attempt
    const second = Either.isRight(first) ? yield* attempt : first
    if (Either.isRight(second)) return yield* ignored(key.right)
    if (second.left._tag === "ObjectExists") yield* ledger.rememberCondition
  })

const ignored = (key: ObjectKey.ObjectKey) =>
  new ConfigError({
    detail: `the store ignores --no-overwrite: it replaced ${key}, although the request forbade it`,
    advice:
      "remove --no-overwrite, and keep old versions by versioning the bucket; or use a store that honours If-None-Match"
  })
