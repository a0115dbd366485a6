import { Context, type Effect, type Scope } from "effect"
import type { KeySuffix } from "../domain/Compression.ts"
import type { ContentDigest } from "../domain/ContentDigest.ts"
import type { ConfigError, Locked, StateUnusable } from "../domain/Errors.ts"
import type { LedgerConcern } from "../domain/LedgerConcern.ts"
import type { LostCompletions } from "../domain/LostCompletion.ts"
import type { UnfinishedFile } from "../domain/LossRisk.ts"
import type { ManifestedFile } from "../domain/ManifestedFile.ts"
import type { ObjectKey } from "../domain/ObjectKey.ts"
import type { Created, IdleUpload, KeptPart, KeptUpload } from "../domain/Resumption.ts"
import type { Bounds } from "../domain/Retention.ts"
import type { State } from "../domain/Snapshot.ts"
import type { FileStat, SourceFile } from "../domain/SourceFile.ts"
import type { Checksum } from "../domain/StoreTraits.ts"
import type { Standing } from "../domain/StoredFiles.ts"
import type { Status, Target } from "../report/Status.ts"
import type { StoredObject } from "./ObjectStore.ts"

/** Remembers what the store acknowledged, so that no run needs permission to read the bucket. */
export class Ledger extends Context.Tag("ibsr-export/Ledger")<
  Ledger,
  {
    /**
     * Opens one target's part of the ledger for one run, and locks the ledger until the scope closes. Fails with `Locked`
     * if another run still holds the lock after `lockWait`, and with `ConfigError` if the state directory is inside the
     * input directory. Sets aside a ledger that is damaged or from a newer version; the run then uploads every file.
     */
    readonly open: (run: RunIdentity) => Effect.Effect<OpenLedger, Locked | StateUnusable | ConfigError, Scope.Scope>
  }
>() {}

/** Reads the ledger's totals, even while a run holds the lock. */
export class LedgerStatus extends Context.Tag("ibsr-export/LedgerStatus")<
  LedgerStatus,
  {
    /** Changes nothing. Fails if there is no ledger that this version can read. */
    readonly read: Effect.Effect<Status, StateUnusable>
    /** Opens the ledger for looking up single files, until the scope closes. Changes nothing, and fails like `read`. */
    readonly openFiles: Effect.Effect<KnownFiles, StateUnusable, Scope.Scope>
  }
>() {}

export interface KnownFiles {
  /** Path of the ledger. */
  readonly ledger: string
  readonly targets: ReadonlyArray<TargetFiles>
  /** Runs a step with a function that looks up single files. */
  readonly lookUp: <A>(step: () => A) => Effect.Effect<A, StateUnusable>
}

/** The files of one target. */
export interface TargetFiles extends Pick<Target, "bucket" | "prefix" | "input"> {
  /** `relativePath` is relative to the input. Throws if the ledger cannot be read. */
  readonly standingOf: (relativePath: string, stat: FileStat) => Standing
}

/** The result of a run. */
export interface RunEnd {
  readonly exitCode: number
  /** Milliseconds since 1970. */
  readonly endedAt: number
  /** Whether the run tried every file of the input. If so, the ledger is no longer suspected to be an older copy. */
  readonly sawAll: boolean
  /** Why the run failed; null: it succeeded. */
  readonly cause: string | null
}

export interface RunIdentity {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

/**
 * Returns the state of the stored object if the store has all of the file. Returns undefined if the file is pending or
 * `stat` differs.
 */
export type StoredAs = (file: SourceFile, stat: FileStat) => State | undefined

/** The ledger's knowledge of a file with an announced upload. */
export interface KnownFile {
  /** The generation of the object that the file is stored in. */
  readonly generation: number
  /** The longest content that the object may hold. Announced uploads count: their response may have been lost. */
  readonly content: ContentDigest
  /** State of the acknowledged object; undefined if the last announced upload has no known result. */
  readonly acknowledged: State | undefined
  /**
   * Why the object may have another file's content. `unknown-content`: another host, or a run that the ledger does not
   * know, may have replaced it. `other-input`: it was stored from another input directory.
   */
  readonly doubt?: "unknown-content" | "other-input" | undefined
}

/** An object that the store has acknowledged. */
export interface AcknowledgedObject extends StoredObject {
  readonly key: ObjectKey
  readonly generation: number
  readonly content: ContentDigest
  /** Bytes of the object: fewer than those of its content if it is compressed. */
  readonly objectBytes: number
  readonly state: State
  /** The file's stat at the time when its content was read. */
  readonly stat: FileStat
}

/** The records that manifests are made from. A directory here is one of `ManifestDirectory`. */
export interface ManifestRecords {
  /** The directories that changed after their manifest was written, each with the arguments that `written` needs. */
  readonly changed: Effect.Effect<
    ReadonlyArray<readonly [directory: string, changed: ReadonlyArray<string>]>,
    StateUnusable
  >
  /** All directories with a file that any run has seen. */
  readonly all: Effect.Effect<ReadonlyArray<string>, StateUnusable>
  readonly filesOf: (directory: string) => Effect.Effect<ReadonlyArray<ManifestedFile>, StateUnusable>
  /** SHA-256 of the manifest in the bucket; undefined if there is none. */
  readonly writtenDigest: (directory: string) => Effect.Effect<string | undefined, StateUnusable>
  /** Records that the bucket has this manifest. */
  readonly written: (
    directory: string,
    digest: string,
    changed: ReadonlyArray<string>
  ) => Effect.Effect<void, StateUnusable>
}

/** A multipart upload that was just created: it has no parts yet. */
export type StartedUpload = Created & Pick<KeptUpload, "uploadId" | "sizeBytes">

/** A multipart upload that was neither completed nor aborted, and the path of its file. */
export interface UnfinishedUpload extends IdleUpload {
  readonly path: string
}

/**
 * The files and multipart uploads of one target. Paths are relative to the input directory.
 *
 * Reads see every earlier write. Writes are committed in groups, a moment later; methods marked *durable* return once
 * their write is on disk. A write that a crash loses costs a repeated upload. After a failed write, every method fails
 * with the same `StateUnusable`.
 */
export interface OpenLedger {
  /** Path of the database. */
  readonly path: string
  /** Path to which an unusable older database was moved. */
  readonly setAside: string | undefined
  readonly concerns: ReadonlyArray<LedgerConcern>
  /** Starts of this target's latest runs before this one, in milliseconds since 1970, latest first. */
  readonly previousRuns: ReadonlyArray<number>
  /** Bounds on how long the collector keeps a snapshot, as observed by earlier runs. */
  readonly retention: Bounds | undefined
  /** The checksum that the target's store is known to accept. */
  readonly checksum: Checksum
  /** Whether the target's store is known to honour `If-None-Match: *`. */
  readonly honoursCondition: boolean

  /** Runs `step` in one read transaction, because looking up many files one by one takes three times as long. */
  readonly lookUp: <A>(step: (storedAs: StoredAs) => A) => Effect.Effect<A, StateUnusable>
  /** Marks the file as pending, and returns the ledger's knowledge of it. */
  readonly markPending: (path: string) => Effect.Effect<KnownFile | undefined, StateUnusable>
  /** Undoes `markPending`, because this run found nothing to store. */
  readonly clearPending: (path: string) => Effect.Effect<void, StateUnusable>
  /**
   * Reserves and returns the first generation, from `least` on, whose key with this suffix no other file owns. If the
   * file's keys may hold content that the ledger does not know, the generation is one that only this ledger uses.
   */
  readonly reserveGeneration: (path: string, least: number, suffix: KeySuffix) => Effect.Effect<number, StateUnusable>
  /** Announces an upload: the object may hold this content from now on. Durable, so that the request may be sent. */
  readonly announce: (path: string, generation: number, content: ContentDigest) => Effect.Effect<void, StateUnusable>
  /**
   * Marks many files as pending, and announces the first generation of those that have no earlier upload and whose key
   * belongs to no other file, as far as the ledger knows. Returns, for each file, whether it was announced. Durable.
   */
  readonly announceNew: (
    files: ReadonlyArray<{ readonly path: string; readonly content: ContentDigest }>
  ) => Effect.Effect<ReadonlyArray<boolean>, StateUnusable>
  /** Restores `known`, which `markPending` returned. Call it if no request was sent, or if the store refused it. */
  readonly withdrawAnnouncement: (path: string, known: KnownFile | undefined) => Effect.Effect<void, StateUnusable>
  /** Records that the store acknowledged the object. The file is no longer pending. */
  readonly acknowledge: (path: string, object: AcknowledgedObject) => Effect.Effect<void, StateUnusable>
  readonly acknowledgeAll: (
    objects: ReadonlyArray<{ readonly path: string; readonly object: AcknowledgedObject }>
  ) => Effect.Effect<void, StateUnusable>
  /** Records that the file, which now has this `stat`, still has the acknowledged content. */
  readonly confirmUnchanged: (path: string, stat: FileStat) => Effect.Effect<void, StateUnusable>

  /** The file's multipart upload that was neither completed nor aborted, if there is one. */
  readonly keptUpload: (path: string) => Effect.Effect<KeptUpload | undefined, StateUnusable>
  /** Replaces any earlier upload of the file. Durable, so that parts may be sent. */
  readonly uploadStarted: (path: string, upload: StartedUpload) => Effect.Effect<void, StateUnusable>
  /** Records that this run resumes the upload, with content of `sizeBytes`. Durable. */
  readonly uploadResumed: (path: string, sizeBytes: number) => Effect.Effect<void, StateUnusable>
  /** Records that the store acknowledged the part. */
  readonly partStored: (path: string, part: KeptPart) => Effect.Effect<void, StateUnusable>
  /** Forgets the upload and its parts, after it was completed, aborted or abandoned. */
  readonly uploadEnded: (path: string) => Effect.Effect<void, StateUnusable>
  /** The completions of the file's uploads that got no response, since the last completion that got one. */
  readonly lostCompletions: (path: string) => Effect.Effect<LostCompletions, StateUnusable>
  readonly completionLost: (path: string) => Effect.Effect<void, StateUnusable>
  readonly completionAnswered: (path: string) => Effect.Effect<void, StateUnusable>
  /** Up to `limit` uploads, ordered by path, starting after the path `after`. */
  readonly unfinishedUploads: (
    after: string,
    limit: number
  ) => Effect.Effect<ReadonlyArray<UnfinishedUpload>, StateUnusable>

  /** Up to `limit` files of this input directory, ordered by path, starting after the path `after`. */
  readonly unfinishedFiles: (
    after: string,
    limit: number
  ) => Effect.Effect<ReadonlyArray<UnfinishedFile>, StateUnusable>
  /**
   * Returns the latest snapshot file that any run has seen in a directory, even if it no longer exists. With `before`,
   * returns the latest one whose path is less than `before`. The directory is relative to the input and ends in `/`;
   * the input itself is the empty string.
   */
  readonly latestSnapshot: (directory: string, before?: string) => Effect.Effect<string | undefined, StateUnusable>
  /** Remembers how long the collector keeps a snapshot. */
  readonly rememberRetention: (bounds: Bounds) => Effect.Effect<void, StateUnusable>
  /** Records that the file was deleted. `lost`: whether the store does not have all of it. */
  readonly markGone: (path: string, lost: boolean) => Effect.Effect<void, StateUnusable>

  /** Remembers the checksum that the store accepts, for later runs. */
  readonly rememberChecksum: (checksum: Checksum) => Effect.Effect<void, StateUnusable>

  /** Remembers that the store honours `If-None-Match: *`. */
  readonly rememberCondition: Effect.Effect<void, StateUnusable>

  readonly manifests: ManifestRecords

  /** Commits every earlier write. Durable. */
  readonly flush: Effect.Effect<void, StateUnusable>
  /** Records the run's result, for `status`. Durable. */
  readonly runEnded: (end: RunEnd) => Effect.Effect<void, StateUnusable>
}
