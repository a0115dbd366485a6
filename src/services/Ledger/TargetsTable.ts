/** The rows of targets and of their runs. A target is an endpoint, a region, a bucket, a prefix and a key mapping. */
import { resolve } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import type { Bounds } from "../../domain/Retention.ts"
import { startsUsed } from "../../domain/RunInterval.ts"
import type { Settings } from "../../domain/Settings.ts"
import type { Checksum } from "../../domain/StoreTraits.ts"
import type { RunIdentity } from "../Ledger.ts"

export interface Target {
  readonly id: number
  /** When runs started to use the current input directory, in milliseconds since 1970. */
  readonly inputSince: number
}

/** How keys are made from paths; another mapping would need another target. */
const mapping = "path"

type Name = Pick<Settings, "bucket" | "endpoint" | "prefix" | "region">

interface Row extends Target {
  readonly input: string
  readonly checksum: Checksum
  readonly least: number | null
  readonly most: number | null
}

/** A region that is not known, as in ledgers of older versions, matches any region. */
export const find = (db: DatabaseSync, { bucket, endpoint, prefix, region = "" }: Name) =>
  db
    .prepare(
      `SELECT id, input, input_since AS inputSince, checksum, retention_least AS least, retention_most AS most
       FROM targets WHERE endpoint = ? AND bucket = ? AND prefix = ? AND mapping = ? AND (region IN (?, '') OR ? = '')
       ORDER BY region = ? DESC, (SELECT max(id) FROM runs WHERE target = targets.id) DESC LIMIT 1`
    )
    .get(endpoint?.href ?? "", bucket, prefix, mapping, region, region, region) as Row | undefined

const insert = (db: DatabaseSync, { bucket, endpoint, prefix }: Name) =>
  db
    .prepare(
      `INSERT INTO targets (endpoint, bucket, prefix, mapping, region, input, input_since) VALUES (?, ?, ?, ?, '', '', 0)
       RETURNING id, input, input_since AS inputSince, checksum, retention_least AS least, retention_most AS most`
    )
    .get(endpoint?.href ?? "", bucket, prefix, mapping) as unknown as Row

/** Records that a run on this target starts, and returns the ledger's knowledge of the target. */
export const startRun = (db: DatabaseSync, options: Name & Pick<Settings, "input">, run: RunIdentity) => {
  const target = find(db, options) ?? insert(db, options)
  const { checksum, id, least, most } = target
  const input = resolve(options.input)
  const inputSince = target.input === input ? target.inputSince : run.startedAt
  db.prepare("UPDATE targets SET input = ?, input_since = ?, region = iif(? = '', region, ?) WHERE id = ?").run(
    input,
    inputSince,
    options.region ?? "",
    options.region ?? "",
    id
  )
  const previousRuns = db
    .prepare("SELECT started_at FROM runs WHERE target = ? ORDER BY id DESC LIMIT ?")
    .all(id, startsUsed - 1)
    .map((row) => row["started_at"] as number)
  const { lastInsertRowid: runRowId } = db
    .prepare("INSERT INTO runs (target, name, started_at) VALUES (?, ?, ?)")
    .run(id, run.id, run.startedAt)
  const retention: Bounds | undefined = least === null ? undefined : { least, most: most ?? undefined }
  return { target: { id, inputSince }, runRowId, previousRuns, retention, checksum }
}

export const rememberChecksum = (db: DatabaseSync, { id }: Target, checksum: Checksum): void => {
  db.prepare("UPDATE targets SET checksum = ? WHERE id = ?").run(checksum, id)
}

export const rememberRetention = (db: DatabaseSync, { id }: Target, { least, most }: Bounds): void => {
  db.prepare("UPDATE targets SET retention_least = ?, retention_most = ? WHERE id = ?").run(
    Math.round(least),
    most === undefined ? null : Math.round(most),
    id
  )
}

export const endRun = (db: DatabaseSync, runRowId: number | bigint, exitCode: number, endedAt: number): void => {
  db.prepare("UPDATE runs SET ended_at = ?, exit_code = ? WHERE id = ?").run(endedAt, exitCode, runRowId)
}
