/**
 * Stores the manifests of changed directories, and writes the local file with all manifests. This is the last step of a
 * run. A failure here only causes a warning, because the ledger remembers which manifests the next run must store.
 */
import { Context, Effect, Either, Option } from "effect"
import { hash } from "node:crypto"
import type { FileError, Interrupted, StateUnusable } from "../../domain/Errors.ts"
import { isRefusal } from "../../domain/FailureClass.ts"
import type { ManifestedFile } from "../../domain/ManifestedFile.ts"
import { manifestName } from "../../domain/ManifestDirectory.ts"
import * as ObjectKey from "../../domain/ObjectKey.ts"
import * as Selection from "../../domain/Selection.ts"
import type { Settings } from "../../domain/Settings.ts"
import * as Manifest from "../../report/Manifest.ts"
import type { ManifestResult } from "../../report/Report.ts"
import * as HostIdentity from "../HostIdentity.ts"
import type { OpenLedger } from "../Ledger.ts"
import type { NewObject } from "../ObjectStore.ts"
import type { Stop } from "../Stop.ts"
import * as ManifestFile from "./ManifestFile.ts"

export type Options = Pick<Settings, "appendOnly" | "manifest" | "manifestFile" | "prefix">

export interface Requests {
  /** Resolves credentials. */
  readonly ready: Effect.Effect<void, FileError | Interrupted>
  readonly create: (object: NewObject, body: Uint8Array) => Effect.Effect<unknown, FileError | Interrupted>
}

/** The maximum number of concurrent requests. */
const concurrency = 8

/** After this many refusals, the cause is not a single key, but a permission or the store. */
const maxFailures = 3

export const write = (
  ledger: OpenLedger,
  options: Options,
  run: Pick<Manifest.Origin, "runInterval" | "version">,
  requests: Requests,
  stop: Context.Tag.Service<Stop>
): Effect.Effect<ManifestResult, StateUnusable> => {
  const isAppendOnly = Selection.matcher(options.appendOnly)
  const origin = {
    ...run,
    host: HostIdentity.hostname(),
    machineId: HostIdentity.machineId(),
    prefix: options.prefix
  }
  const render = (directory: string, files: ReadonlyArray<ManifestedFile>) =>
    Manifest.render(Manifest.make(origin, directory, files, isAppendOnly))

  const storeChanged = Effect.gen(function* () {
    let written = 0
    let waiting = 0
    const failures: Array<ManifestResult["failures"][number]> = []
    const ready = yield* Effect.cached(requests.ready)
    let isHopeless = false

    const store = (directory: string, changed: ReadonlyArray<string>) =>
      Effect.gen(function* () {
        if (isHopeless || Option.isSome(yield* stop.reason)) return void waiting++
        const files = yield* ledger.manifests.filesOf(directory)
        const body = Buffer.from(render(directory, files))
        const digest = hash("sha256", body)
        if ((yield* ledger.manifests.writtenDigest(directory)) === digest)
          return yield* ledger.manifests.written(directory, digest, changed)
        const key = keyOf(options.prefix, directory)
        if (key === undefined || files.some(({ objects }) => objects.some((object) => object.key === key)))
          return void failures.push({ directory, ...(key === undefined ? tooLong : taken) })
        const sent = yield* Effect.either(Effect.zipRight(ready, requests.create({ key, state: "live" }, body)))
        if (Either.isRight(sent)) {
          written++
          return yield* ledger.manifests.written(directory, digest, changed)
        }
        waiting++
        if (sent.left._tag === "Interrupted") return
        failures.push({ directory, message: sent.left.message, hint: sent.left.hint })
        isHopeless ||= failures.length >= maxFailures || !isRefusalOfKey(sent.left)
      })
    yield* Effect.forEach(yield* ledger.manifests.changed, ([directory, changed]) => store(directory, changed), {
      concurrency,
      discard: true
    })
    return { written, waiting, failures }
  })

  return Effect.gen(function* () {
    const stored = options.manifest ? yield* storeChanged : { written: 0, waiting: 0, failures: [] }
    const file =
      options.manifestFile === undefined
        ? null
        : yield* ManifestFile.write(options.manifestFile, yield* ledger.manifests.all, (directory) =>
            Effect.map(ledger.manifests.filesOf(directory), (files) => render(directory, files))
          )
    return { ...stored, file }
  })
}

/** Whether the store may accept another key. */
const isRefusalOfKey = (error: FileError) => "operation" in error && isRefusal(error)

const keyOf = (prefix: ObjectKey.KeyPrefix, directory: string) =>
  Option.getOrUndefined(Either.getRight(ObjectKey.of(prefix, directory + manifestName)))

const tooLong = { message: "its key would be too long", hint: "shorten --prefix or the directory's name" }

const taken = {
  message: `a file named ${manifestName} was uploaded from this directory, and its object must not be replaced`,
  hint: "use another --prefix, or leave out --manifest"
}
