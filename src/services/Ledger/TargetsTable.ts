/** The rows of targets and of their runs. A target is an endpoint, a region, a bucket, a prefix and a key mapping. */
import { Duration } from "effect"
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import type { DatabaseSync, SQLOutputValue } from "node:sqlite"
import { LedgerConcern } from "../../domain/LedgerConcern.ts"
import type { Doubt } from "../../domain/LedgerOrigin.ts"
import type { Bounds } from "../../domain/Retention.ts"
import { startsUsed } from "../../domain/RunInterval.ts"
import type { Settings } from "../../domain/Settings.ts"
import type { Checksum } from "../../domain/StoreTraits.ts"
import type { RunEnd, RunIdentity } from "../Ledger.ts"

export interface Target {
  readonly id: number
  /** The row of the first run that used the current input directory. */
  readonly inputRun: number
  /** Why the store may hold objects that the ledger does not know. */
  readonly doubt: Doubt | null
  /** The first generation whose keys only this ledger uses; undefined if the store's content was never in doubt. */
  readonly firstGeneration: number
}

/** Names the way in which keys are made from paths. A different mapping would be a different target. */
const mapping = "path"

type Name = Pick<Settings, "bucket" | "endpoint" | "prefix" | "region">

interface Row extends Target {
  /** Empty if the region is unknown. */
  readonly region: string
  readonly prefix: string
  readonly input: string
  readonly checksum: Checksum
  readonly honoursCondition: boolean
  readonly least: number | null
  readonly most: number | null
}

/** Finds a target. An unknown region matches any region: ledgers of older versions contain no regions. */
export const find = (db: DatabaseSync, { bucket, endpoint, prefix, region }: Name): Row | undefined => {
  const rows = db
    .prepare(
      `SELECT * FROM targets WHERE endpoint = ? AND bucket = ? AND prefix = ? AND mapping = ?
       ORDER BY (SELECT max(id) FROM runs WHERE target = targets.id) DESC`
    )
    .all(endpoint?.href ?? "", bucket, prefix, mapping)
    .map(rowFrom)
  return rows.find((row) => row.region === region) ?? rows.find((row) => mayBeIn(row, region))
}

const rowFrom = (row: Readonly<Record<string, SQLOutputValue>>): Row => ({
  ...(row as unknown as Pick<Row, "id" | "doubt" | "region" | "prefix" | "input" | "checksum">),
  inputRun: row["input_run"] as number,
  honoursCondition: row["honours_condition"] === 1,
  firstGeneration: row["first_generation"] as number,
  least: row["retention_least"] as number | null,
  most: row["retention_most"] as number | null
})

const mayBeIn = (row: Row, region: string | undefined) =>
  row.region === "" || region === undefined || row.region === region

/** Another target that may share keys with this target, because one prefix contains the other. */
export interface Overlapping {
  readonly id: number
  readonly prefix: string
  /** Start of its last run, in milliseconds since 1970. */
  readonly lastRunAt: number
  /**
   * Returns the path in the other target whose key equals the key of `path` in this target; undefined if there is none.
   */
  readonly pathOf: (path: string) => string | undefined
}

export const overlapping = (db: DatabaseSync, { id }: Target, name: Name): ReadonlyArray<Overlapping> => {
  const selectLast = db.prepare("SELECT started_at FROM runs WHERE target = ? ORDER BY id DESC LIMIT 1")
  const own = within(name.prefix)
  return db
    .prepare("SELECT * FROM targets WHERE endpoint = ? AND bucket = ? AND mapping = ? AND id <> ?")
    .all(name.endpoint?.href ?? "", name.bucket, mapping, id)
    .map(rowFrom)
    .filter(
      (row) => mayBeIn(row, name.region) && (own.startsWith(within(row.prefix)) || within(row.prefix).startsWith(own))
    )
    .map((row) => {
      const other = within(row.prefix)
      return {
        id: row.id,
        prefix: row.prefix,
        lastRunAt: (selectLast.get(row.id)?.["started_at"] as number | undefined) ?? 0,
        pathOf: (path) => ((own + path).startsWith(other) ? (own + path).slice(other.length) : undefined)
      }
    })
}

/** The beginning of every key below the prefix. */
const within = (prefix: string) => (prefix === "" ? "" : `${prefix}/`)

const insert = (db: DatabaseSync, { bucket, endpoint, prefix }: Name): Row => {
  const row = db
    .prepare(
      `INSERT INTO targets (endpoint, bucket, prefix, mapping, region, input) VALUES (?, ?, ?, ?, '', '')
       RETURNING *`
    )
    .get(endpoint?.href ?? "", bucket, prefix, mapping)!
  return rowFrom(row)
}

/** A target that had no run for this long is no longer in use. */
const inUseMillis = Duration.toMillis("7 days")

export const doubts = ({ doubt, firstGeneration: generation }: Target): ReadonlyArray<LedgerConcern> => {
  if (doubt === "machine") return [LedgerConcern.OtherMachine({ generation })]
  return doubt === "copy" ? [LedgerConcern.OlderCopy({ generation })] : []
}

/** Records that a run on this target starts, and returns the ledger's knowledge of the target. */
export const startRun = (db: DatabaseSync, options: Name & Pick<Settings, "input">, run: RunIdentity) => {
  const found = find(db, options) ?? insert(db, options)
  const { checksum, doubt, firstGeneration, honoursCondition, id, least, most } = found
  const previousRuns = db
    .prepare("SELECT started_at FROM runs WHERE target = ? ORDER BY id DESC LIMIT ?")
    .all(id, startsUsed - 1)
    .map((row) => row["started_at"] as number)
  const { lastInsertRowid: runRowId } = db
    .prepare("INSERT INTO runs (target, name, started_at) VALUES (?, ?, ?)")
    .run(id, run.id, run.startedAt)
  const input = resolve(options.input)
  const inputRun = found.input === input ? found.inputRun : Number(runRowId)
  db.prepare("UPDATE targets SET input = ?, input_run = ?, region = iif(? = '', region, ?) WHERE id = ?").run(
    input,
    inputRun,
    options.region ?? "",
    options.region ?? "",
    id
  )
  const retention: Bounds | undefined = least === null ? undefined : { least, most: most ?? undefined }
  const target: Target = { id, inputRun, doubt, firstGeneration }
  const others = overlapping(db, target, options)
  return {
    target,
    others,
    runRowId,
    previousRuns,
    retention,
    checksum,
    honoursCondition,
    concerns: [
      ...doubts(target),
      ...(found.input !== "" && found.input !== input && existsSync(found.input)
        ? [LedgerConcern.OtherInput({ input: found.input })]
        : []),
      ...others
        .filter(({ lastRunAt }) => Math.abs(run.startedAt - lastRunAt) <= inUseMillis)
        .map(({ prefix }) => LedgerConcern.OverlappingPrefix({ prefix }))
    ]
  }
}

/**
 * In characters. A longer sentence is cut, because a file name in it may be long; the journal has the whole sentence.
 */
const maxCauseLength = 500

/** The writes of one run, apart from its start. */
export const writer = (db: DatabaseSync, { id }: Target, runRowId: number | bigint) => {
  const updateChecksum = db.prepare("UPDATE targets SET checksum = ? WHERE id = ?")
  const updateCondition = db.prepare("UPDATE targets SET honours_condition = 1 WHERE id = ?")
  const updateRetention = db.prepare("UPDATE targets SET retention_least = ?, retention_most = ? WHERE id = ?")
  const updateRun = db.prepare("UPDATE runs SET ended_at = ?, exit_code = ?, cause = ? WHERE id = ?")
  const endDoubt = db.prepare("UPDATE targets SET doubt = NULL WHERE id = ? AND doubt = 'copy'")
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
    endRun: ({ cause, endedAt, exitCode, sawAll }: RunEnd): void => {
      updateRun.run(endedAt, exitCode, cause?.slice(0, maxCauseLength) ?? null, runRowId)
      if (sawAll) endDoubt.run(id)
    }
  }
}
