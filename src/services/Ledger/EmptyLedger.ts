import { Effect } from "effect"
import * as LostCompletion from "../../domain/LostCompletion.ts"
import type { OpenLedger } from "../Ledger.ts"

/** A ledger that knows no file and remembers nothing. */
export const at = (path: string): OpenLedger => ({
  path,
  setAside: undefined,
  concerns: [],
  previousRuns: [],
  retention: undefined,
  checksum: "SHA256",
  honoursCondition: false,
  rememberCondition: Effect.void,
  lookUp: (step) => Effect.sync(() => step(() => undefined)),
  markPending: () => Effect.sync(() => undefined),
  clearPending: () => Effect.void,
  reserveGeneration: (_, least) => Effect.succeed(least),
  announce: () => Effect.void,
  announceNew: (files) => Effect.succeed(files.map(() => true)),
  withdrawAnnouncement: () => Effect.void,
  acknowledge: () => Effect.void,
  acknowledgeAll: () => Effect.void,
  confirmUnchanged: () => Effect.void,
  keptUpload: () => Effect.sync(() => undefined),
  uploadStarted: () => Effect.void,
  uploadResumed: () => Effect.void,
  partStored: () => Effect.void,
  uploadEnded: () => Effect.void,
  lostCompletions: () => Effect.succeed(LostCompletion.none),
  completionLost: () => Effect.void,
  completionAnswered: () => Effect.void,
  unfinishedUploads: () => Effect.succeed([]),
  unfinishedFiles: () => Effect.succeed([]),
  latestSnapshot: () => Effect.succeed(undefined),
  rememberRetention: () => Effect.void,
  markGone: () => Effect.void,
  rememberChecksum: () => Effect.void,
  manifests: {
    changed: Effect.succeed([]),
    all: Effect.succeed([]),
    filesOf: () => Effect.succeed([]),
    writtenDigest: () => Effect.sync(() => undefined),
    written: () => Effect.void
  },
  flush: Effect.void,
  runEnded: () => Effect.void
})
