/**
 * The rows of one target's files. The methods have the same names as in `OpenLedger`. This module is long because it
 * has all statements on one table.
 */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite"
import type { ContentDigest } from "../../domain/ContentDigest.ts"
import type { UnfinishedFile } from "../../domain/LossRisk.ts"
import type { State } from "../../domain/Snapshot.ts"
import type { FileStat } from "../../domain/SourceFile.ts"
import type { Standing } from "../../domain/StoredFiles.ts"
import type { AcknowledgedObject, KnownFile, StoredAs } from "../Ledger.ts"
import { blob, hex } from "./DigestBlob.ts"
import * as ManifestsTable from "./ManifestsTable.ts"
import type { Target } from "./TargetsTable.ts"

type Row = Readonly<Record<string, SQLOutputValue>>

/**
 * Converts the kernel's unsigned integers to SQLite's signed ones. Nanoseconds before 1678 or after 2262 do not fit
 * into 64 bits. They wrap around, but still differ from other times.
 */
const signed = (value: bigint) => BigInt.asIntN(64, value)

/** The values of the columns `file_size`, `mtime_ns`, `ctime_ns`, `device`, `inode`. */
const statColumns = ({ ctimeNs, dev, ino, mtimeNs, size }: FileStat) =>
  [size, signed(mtimeNs), signed(ctimeNs), signed(dev), signed(ino)] as const

/** Reads a row. An announced upload with an unknown result takes precedence over the acknowledged object. */
const knownFrom = (row: Row, { firstGeneration, inputRun }: Target): KnownFile | undefined => {
  const attempted = row["attempted_size"] !== null
  const [generation, size, digest, head] = attempted
    ? [row["attempted_generation"], row["attempted_size"], row["attempted_digest"], row["attempted_head"]]
    : [row["generation"], row["size"], row["digest"], row["head"]]
  if (size === null) return undefined
  const isOurs = row["doubtful"] !== 1 || (generation as number) >= firstGeneration
  const isOfOtherInput = ((row["run"] ?? inputRun) as number) < inputRun
  return {
    generation: generation as number,
    content: { sizeBytes: size as number, digest: hex(digest), head: hex(head) },
    acknowledged: attempted ? undefined : (row["state"] as State),
    doubt: isOurs ? (isOfOtherInput ? "other-input" : undefined) : "unknown-content"
  }
}

/** Read-only queries. */
export const reader = (db: DatabaseSync, known: Target) => {
  const { id: target, inputRun } = known
  // Most runs make this query for nearly every file. For speed, SQLite compares the stat and returns only two columns.
  const selectState = db.prepare(
    `SELECT state, ctime_ns IS NULL FROM files
     WHERE target = ? AND path = ? AND file_size = ? AND mtime_ns = ? AND (ctime_ns = ? OR ctime_ns IS NULL)
       AND device = ? AND inode = ? AND pending_since IS NULL AND fate IS NULL`
  )
  // rows are arrays, because rows as objects take 50 % longer
  selectState.setReturnArrays(true)
  const selectFile = db.prepare(
    `SELECT pending_since, fate, files.generation, files.size, files.digest, files.head, state, run,
       doubtful,
       attempts.generation AS attempted_generation, attempts.size AS attempted_size,
       attempts.digest AS attempted_digest, attempts.head AS attempted_head
     FROM files LEFT JOIN attempts USING (target, path) WHERE target = ? AND path = ?`
  )
  const selectUnfinished = db.prepare(
    `SELECT path, pending_since IS NOT NULL AS pending, acknowledged_at FROM files INDEXED BY unsettled_files
     WHERE target = ? AND path > ? AND fate IS NULL AND (pending_since IS NOT NULL OR state = 'live')
       AND pending_run >= ?
     ORDER BY path LIMIT ?`
  )
  const selectLatest = db.prepare("SELECT max(path) AS path FROM files WHERE target = ? AND path >= ? AND path < ?")

  const find = (path: string): Row | undefined => selectFile.get(target, path)
  const stateOf = (path: string, stat: FileStat) =>
    selectState.get(target, path, ...statColumns(stat)) as [State, 0 | 1] | undefined
  return {
    /**
     * Calls `onUnrecorded` for each stored file whose `ctimeNs` is missing because an older version stored the file.
     */
    storedAs:
      (onUnrecorded: (path: string, stat: FileStat) => void): StoredAs =>
      ({ relativePath }, stat) => {
        const row = stateOf(relativePath, stat)
        if (row?.[1] === 1) onUnrecorded(relativePath, stat)
        return row?.[0]
      },
    standingOf: (path: string, stat: FileStat): Standing => {
      const stored = stateOf(path, stat)?.[0]
      if (stored !== undefined) return stored === "final" ? "stored" : "live"
      const row = find(path)
      if (row === undefined || row["fate"] !== null) return "unknown"
      if (row["pending_since"] !== null || row["attempted_size"] !== null || row["size"] === null) return "waiting"
      return row["state"] === "live" ? "live" : "changed"
    },
    find,
    knownFile: (path: string) => {
      const row = find(path)
      return row && knownFrom(row, known)
    },
    unfinishedFiles: (after: string, limit: number): ReadonlyArray<UnfinishedFile> =>
      selectUnfinished.all(target, after, inputRun, limit).map((row) => ({
        path: String(row["path"]),
        pending: row["pending"] === 1,
        acknowledgedAt: (row["acknowledged_at"] as number | null) ?? undefined
      })),
    // the character after `_` ends the range of names that begin with `snapshot_`
    latestSnapshot: (directory: string, before = `${directory}snapshot\``): string | undefined =>
      (selectLatest.get(target, `${directory}snapshot_`, before)?.["path"] as string | null) ?? undefined
  }
}

/** The writes of one run. */
export const writer = (
  db: DatabaseSync,
  known: Target,
  { find }: Pick<ReturnType<typeof reader>, "find">,
  runRowId: number | bigint
) => {
  const { id: target } = known
  const changed = ManifestsTable.changes(db, target)
  const doubtful = known.doubt === null ? 0 : 1
  const insertFile = db.prepare(
    "INSERT INTO files (target, path, first_seen, pending_since, pending_run, doubtful) VALUES (?, ?, ?, ?, ?, ?)"
  )
  const setPending = db.prepare(
    "UPDATE files SET pending_since = ?, pending_run = ?, fate = NULL WHERE target = ? AND path = ?"
  )
  const deleteIfNew = db.prepare(
    `DELETE FROM files WHERE target = ? AND path = ? AND pending_run = ? AND size IS NULL
     AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.target = files.target AND attempts.path = files.path)`
  )
  const unsetPending = db.prepare(
    "UPDATE files SET pending_since = NULL WHERE target = ? AND path = ? AND pending_run = ?"
  )
  const insertAttempt = db.prepare(
    "INSERT OR REPLACE INTO attempts (target, path, generation, size, digest, head) VALUES (?, ?, ?, ?, ?, ?)"
  )
  const deleteAttempt = db.prepare("DELETE FROM attempts WHERE target = ? AND path = ?")
  const updateObject = db.prepare(
    `UPDATE files SET pending_since = NULL, fate = NULL, doubtful = 0, generation = ?, key = ?, size = ?, digest = ?,
       head = ?, state = ?, etag = ?, version_id = ?, file_size = ?, mtime_ns = ?, ctime_ns = ?, device = ?, inode = ?,
       acknowledged_at = ?, run = ?, object_size = ?, sha256 = ?, lines = ?, first_time = ?, last_time = ?,
       interval_sec = ?, collector_run = ?
     WHERE target = ? AND path = ?`
  )
  const updateStat = db.prepare(
    `UPDATE files SET pending_since = NULL, file_size = ?, mtime_ns = ?, ctime_ns = ?, device = ?, inode = ?
     WHERE target = ? AND path = ?`
  )
  const setFate = db.prepare("UPDATE files SET fate = ?, pending_since = NULL WHERE target = ? AND path = ?")

  /** Marks the file as pending. Returns its previous row. */
  const mark = (path: string, now: number): Row | undefined => {
    changed(path)
    const row = find(path)
    if (row === undefined) insertFile.run(target, path, now, now, runRowId, doubtful)
    else if (row["pending_since"] === null || row["fate"] !== null) setPending.run(now, runRowId, target, path)
    return row
  }
  const announce = (path: string, generation: number, { digest, head, sizeBytes }: ContentDigest): void => {
    insertAttempt.run(target, path, generation, sizeBytes, blob(digest), blob(head))
  }

  return {
    markPending: (path: string, now: number): KnownFile | undefined => {
      const row = mark(path, now)
      return row && knownFrom(row, known)
    },
    announce,
    announceNew: (path: string, content: ContentDigest, now: number, isKeyFree: (path: string) => boolean): boolean => {
      const row = mark(path, now)
      const isNew = row === undefined || knownFrom(row, known) === undefined
      const isFirst = isNew && (row?.["doubtful"] ?? doubtful) === 0 && isKeyFree(path)
      if (isFirst) announce(path, 1, content)
      return isFirst
    },
    clearPending: (path: string): void => {
      deleteIfNew.run(target, path, runRowId)
      unsetPending.run(target, path, runRowId)
    },
    withdrawAnnouncement: (path: string, before: KnownFile | undefined): void => {
      if (before === undefined || before.acknowledged !== undefined) deleteAttempt.run(target, path)
      else announce(path, before.generation, before.content)
    },
    acknowledge: (path: string, object: AcknowledgedObject, now: number): void => {
      const { content, etag, generation, key, objectBytes, stat, state, versionId } = object
      const { facts } = content
      changed(path)
      deleteAttempt.run(target, path)
      // positional parameters, because binding by name takes half of the statement's time
      updateObject.run(
        generation,
        key,
        content.sizeBytes,
        blob(content.digest),
        blob(content.head),
        state,
        etag ?? null,
        versionId ?? null,
        ...statColumns(stat),
        now,
        runRowId,
        objectBytes,
        facts === undefined || facts.sha256 === content.digest ? null : blob(facts.sha256),
        facts?.lines?.count ?? null,
        facts?.lines?.firstTime ?? null,
        facts?.lines?.lastTime ?? null,
        facts?.lines?.intervalSeconds ?? null,
        facts?.lines?.runId ?? null,
        target,
        path
      )
    },
    confirmUnchanged: (path: string, stat: FileStat): void => {
      updateStat.run(...statColumns(stat), target, path)
    },
    markGone: (path: string, lost: boolean): void => {
      changed(path)
      setFate.run(lost ? "lost" : "gone", target, path)
    }
  }
}
