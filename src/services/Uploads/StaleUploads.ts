/** Ends multipart uploads that no run will go on with any more. */
import { Clock, Effect, Option } from "effect"
import { join } from "node:path"
import type { StateUnusable } from "../../domain/Errors.ts"
import * as Resumption from "../../domain/Resumption.ts"
import type { Settings } from "../../domain/Settings.ts"
import { abortUpload } from "../ObjectStore/AbortUpload.ts"
import type { OpenLedger, UnfinishedUpload } from "../Ledger.ts"
import { ObjectStore } from "../ObjectStore.ts"
import { Reporter } from "../Reporter.ts"
import { exists } from "../Export/LossCheck.ts"
import { Stop } from "../Stop.ts"

/** Uploads asked for at once. */
const page = 1000
/** Aborts at once: nobody waits for them, and there are few. */
const atOnce = 4

/** Each is aborted once; where that cannot be done, it is told. Then it is forgotten. `ready`: whether it can be tried. */
export const make = ({ input }: Pick<Settings, "input">) =>
  Effect.gen(function* () {
    const store = yield* ObjectStore
    const reporter = yield* Reporter
    const stop = yield* Stop

    const end = (ledger: OpenLedger, upload: UnfinishedUpload) =>
      Effect.gen(function* () {
        if (Option.isSome(yield* stop.reason)) return
        yield* Effect.annotateLogs(Effect.logDebug("ending an upload that nobody goes on with"), { key: upload.key })
        yield* abortUpload(store, upload, reporter.abortFailed)
        yield* ledger.uploadEnded(upload.path)
      })

    return (ledger: OpenLedger, ready: Effect.Effect<boolean>): Effect.Effect<void, StateUnusable> =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        let uploads = yield* ledger.unfinishedUploads("", page)
        while (uploads.length > 0) {
          const left = uploads.filter((upload) => Resumption.isStale(upload, exists(join(input, upload.path)), now))
          if (left.length > 0 && !(yield* ready)) return
          yield* Effect.forEach(left, (upload) => end(ledger, upload), { concurrency: atOnce, discard: true })
          uploads = yield* ledger.unfinishedUploads(uploads.at(-1)!.path, page)
        }
      })
  })
