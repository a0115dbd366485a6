/** The data for manifests, and the record of which manifests must be written again. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite"
import { sha256Of } from "../../domain/ContentDigest.ts"
import * as ManifestDirectory from "../../domain/ManifestDirectory.ts"
import type { ManifestedFile, ManifestedObject } from "../../domain/ManifestedFile.ts"
import type { State } from "../../domain/Snapshot.ts"
import { blob, hex } from "./DigestBlob.ts"

type Row = Readonly<Record<string, SQLOutputValue>>

const objectColumns = `key, generation, size, object_size, digest, sha256, lines, first_time, last_time, interval_sec,
  collector_run, state, etag, version_id, acknowledged_at`

const objectFrom = (row: Row): ManifestedObject => {
  const digest = { sizeBytes: row["size"] as number, digest: hex(row["digest"]), head: "" }
  return {
    key: row["key"] as string,
    generation: row["generation"] as number,
    sizeBytes: row["size"] as number,
    objectBytes: row["object_size"] as number | null,
    sha256: row["sha256"] === null ? (sha256Of(digest) ?? null) : hex(row["sha256"]),
    state: row["state"] as State,
    etag: row["etag"] as string | null,
    versionId: row["version_id"] as string | null,
    storedAt: row["acknowledged_at"] as number,
    lines: row["lines"] as number | null,
    firstTime: row["first_time"] as number | null,
    lastTime: row["last_time"] as number | null,
    intervalSeconds: row["interval_sec"] as number | null,
    collectorRun: row["collector_run"] as string | null
  }
}

/** The methods have the same names as in `ManifestRecords`. */
export const make = (db: DatabaseSync, target: number) => {
  const selectChanged = db.prepare("SELECT directory FROM changed_directories WHERE target = ? ORDER BY directory")
  const deleteChanged = db.prepare("DELETE FROM changed_directories WHERE target = ? AND directory = ?")
  const selectDirectories = db.prepare(
    "SELECT DISTINCT rtrim(path, replace(path, '/', '')) AS directory FROM files WHERE target = ?"
  )
  // the character `0` follows `/`, so the range contains everything below a directory
  const inRange = "target = ? AND path >= ? AND path < ?"
  const selectFiles = db.prepare(
    `SELECT path, pending_since, fate, ${objectColumns} FROM files WHERE ${inRange} ORDER BY path`
  )
  const selectFormer = db.prepare(
    `SELECT path, ${objectColumns} FROM former_objects WHERE ${inRange} ORDER BY path, key`
  )
  const selectDigest = db.prepare("SELECT digest FROM manifests WHERE target = ? AND directory = ?")
  const upsertDigest = db.prepare("INSERT OR REPLACE INTO manifests (target, directory, digest) VALUES (?, ?, ?)")

  const group = (directories: ReadonlyArray<string>) => [
    ...Map.groupBy(directories, (directory) => ManifestDirectory.of(`${directory}file`))
  ]
  /** The input itself has no range, because its own files have no directory. */
  const rangeOf = (directory: string) =>
    directory === "" ? (["", "\u{10ffff}"] as const) : ([directory, `${directory.slice(0, -1)}0`] as const)

  return {
    changed: () => group(selectChanged.all(target).map((row) => String(row["directory"]))),
    all: () => group(selectDirectories.all(target).map((row) => String(row["directory"]))).map(([name]) => name),
    filesOf: (directory: string): ReadonlyArray<ManifestedFile> => {
      const range = rangeOf(directory)
      const isOwn = (row: Row) => ManifestDirectory.of(String(row["path"])) === directory
      const former = Map.groupBy(selectFormer.all(target, ...range).filter(isOwn), (row) => String(row["path"]))
      return selectFiles
        .all(target, ...range)
        .filter(isOwn)
        .map((row) => {
          const path = String(row["path"])
          const earlier = (former.get(path) ?? []).filter((object) => object["key"] !== row["key"]).map(objectFrom)
          return {
            path,
            pendingSince: row["pending_since"] as number | null,
            fate: row["fate"] as ManifestedFile["fate"],
            objects: row["size"] === null ? earlier : [...earlier, objectFrom(row)]
          }
        })
    },
    writtenDigest: (directory: string): string | undefined => {
      const row = selectDigest.get(target, directory)
      return row && hex(row["digest"])
    },
    written: (directory: string, digest: string, changed: ReadonlyArray<string>): void => {
      upsertDigest.run(target, directory, blob(digest))
      for (const name of changed) deleteChanged.run(target, name)
    }
  }
}

/** Remembers that a directory's manifest must be written again. At most one write per directory. */
export const changes = (db: DatabaseSync, target: number): ((path: string) => void) => {
  const insert = db.prepare("INSERT OR IGNORE INTO changed_directories (target, directory) VALUES (?, ?)")
  const known = new Set<string>()
  return (path) => {
    const directory = path.slice(0, path.lastIndexOf("/") + 1)
    if (known.has(directory)) return
    insert.run(target, directory)
    known.add(directory)
  }
}
