/** Aborts multipart uploads that no run will resume. */
import { Clock, Effect, Option } from "effect"
import { join } from "node:path"
import type { StateUnusable } from "../../domain/Errors.ts"
import * as Resumption from "../../domain/Resumption.ts"
import type { Settings } from "../../domain/Settings.ts"
import type { OpenLedger, UnfinishedUpload } from "../Ledger.ts"
import { ObjectStore } from "../ObjectStore.ts"
import { abortUpload } from "../ObjectStore/AbortUpload.ts"
import { Reporter } from "../Reporter.ts"
import * as FileStat from "../Source/FileStat.ts"
import { Stop } from "../Stop.ts"

/** Uploads per query. */
const pageSize = 1000
/** Maximum concurrent aborts; low, because nothing waits for them. */
const concurrency = 4

/**
 * Tries each abort once, reports a failed abort, and then forgets the upload. `ready` returns whether requests can be
 * sent. It is evaluated only if there is an upload to abort.
 */
export const make = ({ input }: Pick<Settings, "input">) =>
  Effect.gen(function* () {
    const store = yield* ObjectStore
    const reporter = yield* Reporter
    const stop = yield* Stop

    const abort = (ledger: OpenLedger, upload: UnfinishedUpload) =>
      Effect.gen(function* () {
        if (Option.isSome(yield* stop.reason)) return
        yield* Effect.annotateLogs(Effect.logDebug("aborting a stale upload"), { key: upload.key })
        yield* abortUpload(store, upload, reporter.abortFailed)
        yield* ledger.uploadEnded(upload.path)
      })

    return (ledger: OpenLedger, ready: Effect.Effect<boolean>): Effect.Effect<void, StateUnusable> =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        let uploads = yield* ledger.unfinishedUploads("", pageSize)
        while (uploads.length > 0) {
          const paths = uploads.map(({ path }) => join(input, path))
          const exist = yield* Effect.promise(() => FileStat.exist(paths))
          const stale = uploads.filter((upload, at) => Resumption.isStale(upload, exist[at]!, now))
          if (stale.length > 0 && !(yield* ready)) return
          yield* Effect.forEach(stale, (upload) => abort(ledger, upload), { concurrency, discard: true })
          uploads = yield* ledger.unfinishedUploads(uploads.at(-1)!.path, pageSize)
        }
      })
  })
