/**
 * The rows of one target's multipart uploads and of their parts. The methods have the same names as in `OpenLedger`.
 */
import type { DatabaseSync } from "node:sqlite"
import type { ObjectKey } from "../../domain/ObjectKey.ts"
import type { KeptPart, KeptUpload } from "../../domain/Resumption.ts"
import type { State } from "../../domain/Snapshot.ts"
import type { StartedUpload, UnfinishedUpload } from "../Ledger.ts"
import { blob, hex } from "./DigestBlob.ts"

export const make = (db: DatabaseSync, target: number) => {
  const selectUpload = db.prepare("SELECT * FROM uploads WHERE target = ? AND path = ?")
  const selectParts = db.prepare("SELECT * FROM parts WHERE target = ? AND path = ? ORDER BY number")
  const insertUpload = db.prepare(
    `INSERT INTO uploads (target, path, upload_id, key, generation, state, part_size, attributes, checksum, size, used_at)
     VALUES ($target, $path, $uploadId, $key, $generation, $state, $partSize, $attributes, $checksum, $size, $now)`
  )
  const updateSize = db.prepare("UPDATE uploads SET size = ?, used_at = ? WHERE target = ? AND path = ?")
  const updateUsedAt = db.prepare("UPDATE uploads SET used_at = ? WHERE target = ? AND path = ?")
  const insertPart = db.prepare(
    "INSERT OR REPLACE INTO parts (target, path, number, size, sha256, etag, confirmed) VALUES (?, ?, ?, ?, ?, ?, ?)"
  )
  const deleteUpload = db.prepare("DELETE FROM uploads WHERE target = ? AND path = ?")
  const deleteParts = db.prepare("DELETE FROM parts WHERE target = ? AND path = ?")
  const selectUnfinished = db.prepare(
    `SELECT path, uploads.key, upload_id, used_at, files.path IS NULL OR pending_since IS NULL AS is_stored
     FROM uploads LEFT JOIN files USING (target, path) WHERE target = ? AND path > ? ORDER BY path LIMIT ?`
  )

  const uploadEnded = (path: string): void => {
    deleteUpload.run(target, path)
    deleteParts.run(target, path)
  }
  return {
    keptUpload: (path: string): KeptUpload | undefined => {
      const row = selectUpload.get(target, path)
      if (row === undefined) return undefined
      const checksum = row["checksum"] as string
      const parts = selectParts.all(target, path).map((part): KeptPart => ({
        number: part["number"] as number,
        sizeBytes: part["size"] as number,
        sha256: hex(part["sha256"]),
        etag: part["etag"] as string,
        checksum:
          checksum === "SHA256" && part["confirmed"] === 1
            ? Buffer.from(part["sha256"] as Uint8Array).toString("base64")
            : undefined
      }))
      return {
        uploadId: row["upload_id"] as string,
        key: row["key"] as ObjectKey,
        generation: row["generation"] as number,
        state: row["state"] as State,
        partSizeBytes: row["part_size"] as number,
        attributes: row["attributes"] as string,
        checksum,
        sizeBytes: row["size"] as number,
        usedAt: row["used_at"] as number,
        parts: new Map(parts.map((part) => [part.number, part]))
      }
    },
    uploadStarted: (path: string, { partSizeBytes, sizeBytes, ...upload }: StartedUpload, now: number): void => {
      uploadEnded(path)
      insertUpload.run({ target, path, ...upload, partSize: partSizeBytes, size: sizeBytes, now })
    },
    uploadResumed: (path: string, sizeBytes: number, now: number): void => {
      updateSize.run(sizeBytes, now, target, path)
    },
    partStored: (path: string, { checksum, etag, number, sha256, sizeBytes }: KeptPart, now: number): void => {
      insertPart.run(target, path, number, sizeBytes, blob(sha256), etag, checksum === undefined ? 0 : 1)
      updateUsedAt.run(now, target, path)
    },
    uploadEnded,
    unfinishedUploads: (after: string, limit: number): ReadonlyArray<UnfinishedUpload> =>
      selectUnfinished.all(target, after, limit).map((row) => ({
        path: row["path"] as string,
        key: row["key"] as ObjectKey,
        uploadId: row["upload_id"] as string,
        usedAt: row["used_at"] as number,
        isStored: row["is_stored"] === 1
      }))
  }
}
