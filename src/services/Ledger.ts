import { Context, type Effect, type Scope } from "effect"
import type { KeySuffix } from "../domain/Compression.ts"
import type { ContentDigest } from "../domain/ContentDigest.ts"
import type { ConfigError, Locked, StateUnusable } from "../domain/Errors.ts"
import type { Checksum } from "../domain/StoreTraits.ts"
import type { ObjectKey } from "../domain/ObjectKey.ts"
import type { Created, IdleUpload, KeptPart, KeptUpload } from "../domain/Resumption.ts"
import type { State } from "../domain/Snapshot.ts"
import type { FileStat, SourceFile } from "../domain/SourceFile.ts"
import type { StoredObject } from "./ObjectStore.ts"

/**
 * What this host has stored, so that it need not be asked for, which would take the right to read.
 *
 * All paths are relative to the input. What is written is on disk soon; what has to be there before a step is taken,
 * when the method ends. Whatever is not there when the program is killed costs a repeated upload.
 */
export class Ledger extends Context.Tag("ibsr-export/Ledger")<
  Ledger,
  {
    /**
     * Opens the part of the ledger that one target has, for one run, until the scope ends. Nobody else can open it
     * meanwhile. Waits `lockWait` for another run to end. A ledger that is damaged, or that a newer version of this
     * program has written, is set aside, and everything is sent anew.
     */
    readonly open: (run: RunIdentity) => Effect.Effect<OpenLedger, Locked | StateUnusable | ConfigError, Scope.Scope>
  }
>() {}

export interface RunIdentity {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

/** As what all of a file is stored that looks like this now; undefined if it is not, or was changed since. */
export type StoredAs = (file: SourceFile, stat: FileStat) => State | undefined

/** What is known of a file that was sent before. */
export interface KnownFile {
  /** Which object it goes to. */
  readonly generation: number
  /** The most that this object may hold: an upload counts from before it is sent, because its answer may be lost. */
  readonly content: ContentDigest
  /** The state it was acknowledged with; undefined where it is not known whether the last upload arrived. */
  readonly acknowledged: State | undefined
}

/** An object that the store has acknowledged. */
export interface AcknowledgedObject extends StoredObject {
  readonly key: ObjectKey
  readonly generation: number
  readonly content: ContentDigest
  readonly state: State
  /** Of the file, when its content was read. */
  readonly stat: FileStat
}

/** A file of which not everything that was seen, or that it will become, is stored. */
export interface UnfinishedFile {
  readonly path: string
  /** Something was seen of it that is not stored. */
  readonly pending: boolean
}

/** An upload that was created, and has no parts yet. */
export type StartedUpload = Created & Pick<KeptUpload, "uploadId" | "sizeBytes">

/** An upload that was neither completed nor aborted, and its file. */
export interface UnfinishedUpload extends IdleUpload {
  readonly path: string
}

export interface OpenLedger {
  /** Where it lies. */
  readonly path: string
  /** Where a former ledger was put that could not be used. */
  readonly setAside: string | undefined
  /** When the run before this one began, in milliseconds since 1970. */
  readonly previousRunAt: number | undefined
  /** What this target's store takes, as far as is known. */
  readonly checksum: Checksum

  /** Runs a step that may ask for very many files: each by itself would cost three times as much. */
  readonly lookUp: <A>(step: (storedAs: StoredAs) => A) => Effect.Effect<A, StateUnusable>
  /** Remembers that there is something to store of this file, and tells what is known of it. */
  readonly markPending: (path: string) => Effect.Effect<KnownFile | undefined, StateUnusable>
  /** There was nothing to store after all. */
  readonly clearPending: (path: string) => Effect.Effect<void, StateUnusable>
  /** Keeps for this file the first generation from `least` on whose key, with this ending, no other file has. */
  readonly reserveGeneration: (path: string, least: number, ending: KeySuffix) => Effect.Effect<number, StateUnusable>
  /** From now on the object may hold this. On disk when it ends, so that it may be sent. */
  readonly announce: (path: string, generation: number, content: ContentDigest) => Effect.Effect<void, StateUnusable>
  /**
   * The same for many files that may be new. True for those that were never sent before, and whose own key no other file
   * has; of the others, nothing is remembered but that they were sighted. On disk when it ends.
   */
  readonly announceNew: (
    files: ReadonlyArray<{ readonly path: string; readonly content: ContentDigest }>
  ) => Effect.Effect<ReadonlyArray<boolean>, StateUnusable>
  /** No request for it was made, or the store said no: the object holds what was known before. */
  readonly withdrawAnnouncement: (path: string, before: KnownFile | undefined) => Effect.Effect<void, StateUnusable>
  /** The store has it. */
  readonly acknowledge: (path: string, object: AcknowledgedObject) => Effect.Effect<void, StateUnusable>
  /** The same for many. */
  readonly acknowledgeAll: (
    objects: ReadonlyArray<{ readonly path: string; readonly object: AcknowledgedObject }>
  ) => Effect.Effect<void, StateUnusable>
  /** The file was looked at, and its content is what was acknowledged. */
  readonly confirmUnchanged: (path: string, stat: FileStat) => Effect.Effect<void, StateUnusable>

  /** The upload of this file that was begun and not ended. */
  readonly keptUpload: (path: string) => Effect.Effect<KeptUpload | undefined, StateUnusable>
  /** In place of any other of the file. On disk when it ends, so that parts may be sent. */
  readonly uploadStarted: (path: string, upload: StartedUpload) => Effect.Effect<void, StateUnusable>
  /** It is gone on with, for a content of so many bytes. On disk when it ends. */
  readonly uploadResumed: (path: string, sizeBytes: number) => Effect.Effect<void, StateUnusable>
  /** The store has this part. */
  readonly partStored: (path: string, part: KeptPart) => Effect.Effect<void, StateUnusable>
  /** It was completed, or aborted, or is given up. */
  readonly uploadEnded: (path: string) => Effect.Effect<void, StateUnusable>
  /** All that were begun and not ended, up to `limit` behind `after`, in the order of their paths. */
  readonly unfinishedUploads: (
    after: string,
    limit: number
  ) => Effect.Effect<ReadonlyArray<UnfinishedUpload>, StateUnusable>

  /** Of the files below this input directory, up to `limit` behind `after`, in the order of their paths. */
  readonly unfinishedFiles: (
    after: string,
    limit: number
  ) => Effect.Effect<ReadonlyArray<UnfinishedFile>, StateUnusable>
  /** The file is not there any more; `lost`: without having been stored. */
  readonly markGone: (path: string, lost: boolean) => Effect.Effect<void, StateUnusable>

  /** The store takes this one. */
  readonly rememberChecksum: (checksum: Checksum) => Effect.Effect<void, StateUnusable>

  /** All that was written so far is on disk when it ends. */
  readonly flush: Effect.Effect<void, StateUnusable>
  /** How the run ended, for `status`. */
  readonly runEnded: (exitCode: number, endedAt: number) => Effect.Effect<void, StateUnusable>
}
