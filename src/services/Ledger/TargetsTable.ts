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
  /** Row of the first run that used the current input directory. */
  readonly inputRun: number
}

/** How keys are made from paths; another mapping would need another target. */
const mapping = "path"

type Name = Pick<Settings, "bucket" | "endpoint" | "prefix" | "region">

interface Row extends Pick<Target, "id"> {
  /** Empty if it is not known; undefined in a ledger of an older version. */
  readonly region: string | undefined
  readonly input: string
  readonly input_run: number
  readonly checksum: Checksum
  readonly honours_condition: number
  readonly least: number | null
  readonly most: number | null
}

/** A region that is not known, as in ledgers of older versions, matches any region. */
export const find = (db: DatabaseSync, { bucket, endpoint, prefix, region }: Name): Row | undefined => {
  // every column, because a ledger of an older version, which `--dry-run` reads, has fewer of them
  const rows = db
    .prepare(
      `SELECT targets.*, retention_least AS least, retention_most AS most FROM targets
       WHERE endpoint = ? AND bucket = ? AND prefix = ? AND mapping = ?
       ORDER BY (SELECT max(id) FROM runs WHERE target = targets.id) DESC`
    )
    .all(endpoint?.href ?? "", bucket, prefix, mapping) as unknown as ReadonlyArray<Row>
  return rows.find((row) => row.region === region) ?? rows.find((row) => !row.region || region === undefined)
}

const insert = (db: DatabaseSync, { bucket, endpoint, prefix }: Name) =>
  db
    .prepare(
      `INSERT INTO targets (endpoint, bucket, prefix, mapping, region, input) VALUES (?, ?, ?, ?, '', '')
       RETURNING *, retention_least AS least, retention_most AS most`
    )
    .get(endpoint?.href ?? "", bucket, prefix, mapping) as unknown as Row

/** Records that a run on this target starts, and returns the ledger's knowledge of the target. */
export const startRun = (db: DatabaseSync, options: Name & Pick<Settings, "input">, run: RunIdentity) => {
  const target = find(db, options) ?? insert(db, options)
  const { checksum, id, least, most } = target
  const previousRuns = db
    .prepare("SELECT started_at FROM runs WHERE target = ? ORDER BY id DESC LIMIT ?")
    .all(id, startsUsed - 1)
    .map((row) => row["started_at"] as number)
  const { lastInsertRowid: runRowId } = db
    .prepare("INSERT INTO runs (target, name, started_at) VALUES (?, ?, ?)")
    .run(id, run.id, run.startedAt)
  const input = resolve(options.input)
  const inputRun = target.input === input ? target.input_run : Number(runRowId)
  db.prepare("UPDATE targets SET input = ?, input_run = ?, region = iif(? = '', region, ?) WHERE id = ?").run(
    input,
    inputRun,
    options.region ?? "",
    options.region ?? "",
    id
  )
  const retention: Bounds | undefined = least === null ? undefined : { least, most: most ?? undefined }
  return {
    target: { id, inputRun },
    runRowId,
    previousRuns,
    retention,
    checksum,
    honoursCondition: target.honours_condition === 1
  }
}

/** The writes of one run, apart from its start. */
export const writer = (db: DatabaseSync, { id }: Target, runRowId: number | bigint) => {
  const updateChecksum = db.prepare("UPDATE targets SET checksum = ? WHERE id = ?")
  const updateCondition = db.prepare("UPDATE targets SET honours_condition = 1 WHERE id = ?")
  const updateRetention = db.prepare("UPDATE targets SET retention_least = ?, retention_most = ? WHERE id = ?")
  const updateRun = db.prepare("UPDATE runs SET ended_at = ?, exit_code = ? WHERE id = ?")
  return {
    rememberChecksum: (checksum: Checksum): void => {
      updateChecksum.run(checksum, id)
    },
    rememberCondition: (): void => {
      updateCondition.run(id)
    },
    rememberRetention: ({ least, most }: Bounds): void => {
      updateRetention.run(Math.round(least), most === undefined ? null : Math.round(most), id)
    },
    endRun: (exitCode: number, endedAt: number): void => {
      updateRun.run(endedAt, exitCode, runRowId)
    }
  }
}
