/** Ends multipart uploads that no run will go on with any more. */
import { Clock, Effect, Option } from "effect"
import { join } from "node:path"
import type { StateUnusable } from "../../domain/Errors.ts"
import * as Resumption from "../../domain/Resumption.ts"
import type { Settings } from "../../domain/Settings.ts"
import { abandon } from "../ObjectStore/AbortUpload.ts"
import type { OpenLedger, OpenUpload } from "../Ledger.ts"
import { ObjectStore } from "../ObjectStore.ts"
import { Reporter } from "../Reporter.ts"
import { isThere } from "../Export/LossCheck.ts"
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

    const end = (ledger: OpenLedger, upload: OpenUpload) =>
      Effect.gen(function* () {
        if (Option.isSome(yield* stop.reason)) return
        yield* Effect.annotateLogs(Effect.logDebug("ending an upload that nobody goes on with"), { key: upload.key })
        yield* abandon(store, upload, reporter.leftOpen)
        yield* ledger.uploadEnded(upload.path)
      })

    return (ledger: OpenLedger, ready: Effect.Effect<boolean>): Effect.Effect<void, StateUnusable> =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        let uploads = yield* ledger.openUploads("", page)
        while (uploads.length > 0) {
          const left = uploads.filter((upload) => Resumption.isLeftover(upload, isThere(join(input, upload.path)), now))
          if (left.length > 0 && !(yield* ready)) return
          yield* Effect.forEach(left, (upload) => end(ledger, upload), { concurrency: atOnce, discard: true })
          uploads = yield* ledger.openUploads(uploads.at(-1)!.path, page)
        }
      })
  })
