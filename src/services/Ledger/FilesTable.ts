/** The rows of one target's files: each step a statement or two, in the words of `OpenLedger`. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite"
import type { ContentDigest } from "../../domain/ContentDigest.ts"
import type { State } from "../../domain/Snapshot.ts"
import type { FileStat, SourceFile } from "../../domain/SourceFile.ts"
import type { AcknowledgedObject, KnownFile, UnfinishedFile } from "../Ledger.ts"
import { blob, hex } from "./DigestBlob.ts"

type Row = Readonly<Record<string, SQLOutputValue>>

/** SQLite has signed integers, the kernel has unsigned ones. */
const signed = (value: bigint) => BigInt.asIntN(64, value)

const statColumns = ({ dev, ino, mtimeNs, size }: FileStat) => ({
  fileSize: size,
  mtimeNs,
  device: signed(dev),
  inode: signed(ino)
})

/** An upload without an answer is newer than what was acknowledged before it. */
const knownFrom = (row: Row): KnownFile | undefined => {
  const attempted = row["attempted_size"] !== null
  const [generation, size, digest, head] = attempted
    ? [row["attempted_generation"], row["attempted_size"], row["attempted_digest"], row["attempted_head"]]
    : [row["generation"], row["size"], row["digest"], row["head"]]
  if (size === null) return undefined
  return {
    generation: generation as number,
    content: { sizeBytes: size as number, digest: hex(digest), head: hex(head) },
    acknowledged: attempted ? undefined : (row["state"] as State)
  }
}

/** Whose files they are. */
export interface Target {
  readonly id: number
  /** Since when its input is the directory that it is; milliseconds since 1970. */
  readonly inputSince: number
}

/** What can be asked without changing anything. */
export const reading = (db: DatabaseSync, { id: target, inputSince }: Target) => {
  // nearly all files of most runs: so it is decided where the row is, and little of it is handed over
  const settled = db.prepare(
    `SELECT state FROM files WHERE target = ? AND path = ? AND file_size = ? AND mtime_ns = ? AND inode = ? AND device = ?
     AND pending_since IS NULL AND fate IS NULL`
  )
  // as objects, they would take half as long again
  settled.setReturnArrays(true)
  const find = db.prepare(
    `SELECT pending_since, fate, files.generation, files.size, files.digest, files.head, state,
       attempts.generation AS attempted_generation, attempts.size AS attempted_size,
       attempts.digest AS attempted_digest, attempts.head AS attempted_head
     FROM files LEFT JOIN attempts USING (target, path) WHERE target = ? AND path = ?`
  )
  const unsettled = db.prepare(
    `SELECT path, pending_since IS NOT NULL AS pending FROM files INDEXED BY unsettled_files
     WHERE target = ? AND path > ? AND fate IS NULL AND (pending_since IS NOT NULL OR state = 'live')
       AND coalesce(pending_since, acknowledged_at) >= ?
     ORDER BY path LIMIT ?`
  )

  const rowOf = (path: string): Row | undefined => find.get(target, path)
  return {
    storedAs: ({ relativePath }: SourceFile, { dev, ino, mtimeNs, size }: FileStat): State | undefined => {
      const row = settled.get(target, relativePath, size, mtimeNs, signed(ino), signed(dev)) as [State] | undefined
      return row?.[0]
    },
    find: rowOf,
    known: (path: string) => {
      const row = rowOf(path)
      return row && knownFrom(row)
    },
    unsettled: (after: string, limit: number): ReadonlyArray<UnfinishedFile> =>
      unsettled
        .all(target, after, inputSince, limit)
        .map((row) => ({ path: String(row["path"]), pending: row["pending"] === 1 }))
  }
}

/** What is written in one run. */
export const writing = (
  db: DatabaseSync,
  { id: target }: Target,
  { find }: Pick<ReturnType<typeof reading>, "find">,
  run: { readonly row: number | bigint; readonly startedAt: number }
) => {
  const add = db.prepare("INSERT INTO files (target, path, first_seen, pending_since) VALUES (?, ?, ?, ?)")
  const expect = db.prepare(
    "UPDATE files SET pending_since = coalesce(pending_since, ?), fate = NULL WHERE target = ? AND path = ?"
  )
  const forget = db.prepare(
    `DELETE FROM files WHERE target = ? AND path = ? AND first_seen >= ? AND size IS NULL
     AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.target = files.target AND attempts.path = files.path)`
  )
  const settle = db.prepare(
    "UPDATE files SET pending_since = NULL WHERE target = ? AND path = ? AND pending_since >= ?"
  )
  const attempt = db.prepare(
    "INSERT OR REPLACE INTO attempts (target, path, generation, size, digest, head) VALUES (?, ?, ?, ?, ?, ?)"
  )
  const answered = db.prepare("DELETE FROM attempts WHERE target = ? AND path = ?")
  const acknowledge = db.prepare(
    `UPDATE files SET pending_since = NULL, fate = NULL, generation = ?, key = ?, size = ?, digest = ?, head = ?,
       state = ?, etag = ?, version_id = ?, file_size = ?, mtime_ns = ?, device = ?, inode = ?, acknowledged_at = ?, run = ?
     WHERE target = ? AND path = ?`
  )
  const confirm = db.prepare(
    `UPDATE files SET pending_since = NULL, file_size = $fileSize, mtime_ns = $mtimeNs, device = $device, inode = $inode
     WHERE target = $target AND path = $path`
  )
  const gone = db.prepare("UPDATE files SET fate = ?, pending_since = NULL WHERE target = ? AND path = ?")
  const end = db.prepare("UPDATE runs SET ended_at = ?, exit_code = ? WHERE id = ?")

  const markPending = (path: string, now: number): KnownFile | undefined => {
    const row = find(path)
    if (row === undefined) add.run(target, path, now, now)
    else if (row["pending_since"] === null || row["fate"] !== null) expect.run(now, target, path)
    return row && knownFrom(row)
  }
  const announce = (path: string, generation: number, { digest, head, sizeBytes }: ContentDigest): void => {
    attempt.run(target, path, generation, sizeBytes, blob(digest), blob(head))
  }

  return {
    sighted: markPending,
    attempting: announce,
    /** Whether there was none before, nor is another file in the way. */
    announceNew: (path: string, content: ContentDigest, now: number, isKeyFree: (path: string) => boolean): boolean => {
      const isFirst = markPending(path, now) === undefined && isKeyFree(path)
      if (isFirst) announce(path, 1, content)
      return isFirst
    },
    clearPending: (path: string): void => {
      forget.run(target, path, run.startedAt)
      settle.run(target, path, run.startedAt)
    },
    withdrawAnnouncement: (path: string, before: KnownFile | undefined): void => {
      if (before === undefined || before.acknowledged !== undefined) answered.run(target, path)
      else {
        const { digest, head, sizeBytes } = before.content
        attempt.run(target, path, before.generation, sizeBytes, blob(digest), blob(head))
      }
    },
    acknowledged: (path: string, object: AcknowledgedObject, now: number): void => {
      const { content, etag, generation, key, stat, state, versionId } = object
      answered.run(target, path)
      // by their places: names take half of the time that the statement takes
      acknowledge.run(
        generation,
        key,
        content.sizeBytes,
        blob(content.digest),
        blob(content.head),
        state,
        etag ?? null,
        versionId ?? null,
        stat.size,
        stat.mtimeNs,
        signed(stat.dev),
        signed(stat.ino),
        now,
        run.row,
        target,
        path
      )
    },
    confirmed: (path: string, stat: FileStat): void => {
      confirm.run({ target, path, ...statColumns(stat) })
    },
    gone: (path: string, lost: boolean): void => {
      gone.run(lost ? "lost" : "gone", target, path)
    },
    ended: (exitCode: number, endedAt: number): void => {
      end.run(endedAt, exitCode, run.row)
    }
  }
}
