/** Removes a target from a ledger, for example one with a mistyped bucket. Its objects stay in the bucket. */
import { Duration, Effect } from "effect"
import { existsSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import { type Locked, type StateUnusable, UsageError } from "../../domain/Errors.ts"
import * as Location from "../../domain/Location.ts"
import * as Database from "./Database.ts"
import * as Lock from "./Lock.ts"
import { noLedger } from "./SqliteStatus.ts"
import * as StateDirectory from "./StateDirectory.ts"

export interface Forgotten {
  /** The target's name, as `status` shows it. */
  readonly target: string
  readonly files: number
  /** Multipart uploads whose parts stay in the bucket. */
  readonly uploads: number
}

/**
 * Forgets a target. `name` is the name that `status` shows. It may omit the endpoint or the region if it is still
 * unique.
 */
export const forget = (stateDir: string, name: string): Effect.Effect<Forgotten, Locked | StateUnusable | UsageError> =>
  Effect.gen(function* () {
    const path = yield* StateDirectory.locate(stateDir)
    if (!existsSync(path)) return yield* noLedger(path)
    yield* Lock.acquire(path, Duration.zero)
    const { db, prepared } = yield* Database.open(path, (opened) => find(opened, name))
    const [found, ...others] = prepared.found
    if (found === undefined || others.length > 0)
      return yield* new UsageError({
        problems: [
          found === undefined
            ? `--forget: the ledger has no target ${name}; it has ${prepared.all.join(", ") || "none"}`
            : `--forget: ${name} may be ${prepared.found.map(({ target }) => target).join(" or ")}`
        ]
      })
    const count = (table: string) =>
      Number(db.prepare(`SELECT count(*) AS count FROM ${table} WHERE target = ?`).get(found.id)?.["count"])
    const forgotten = { target: found.target, files: count("files"), uploads: count("uploads") }
    db.exec("BEGIN IMMEDIATE")
    for (const table of tables) db.prepare(`DELETE FROM ${table} WHERE target = ?`).run(found.id)
    db.prepare("DELETE FROM targets WHERE id = ?").run(found.id)
    db.exec("COMMIT")
    return forgotten
  }).pipe(Effect.scoped)

/** All tables with rows of a target. Tables that other tables refer to come last. */
const tables = [
  "manifests",
  "changed_directories",
  "former_objects",
  "lost_completions",
  "parts",
  "uploads",
  "attempts",
  "files",
  "runs"
]

const find = (db: DatabaseSync, name: string) => {
  const rows = db
    .prepare("SELECT id, endpoint, bucket, prefix, region FROM targets ORDER BY id")
    .all()
    .map((row) => ({
      id: row["id"] as number,
      bucket: String(row["bucket"]),
      prefix: String(row["prefix"]),
      endpoint: String(row["endpoint"]) || null,
      region: String(row["region"]) || null
    }))
  const targets = rows.map((row) => ({
    id: row.id,
    target: Location.describe(row) + Location.regionSuffix(row, rows),
    names: [Location.describe(row), Location.url(row), `s3://${row.bucket}/${row.prefix}`]
  }))
  const wanted = name.replace(/\/$/, "")
  const exact = targets.filter(({ target }) => target === name)
  return {
    all: targets.map(({ target }) => target),
    found:
      exact.length > 0 ? exact : targets.filter(({ names }) => names.some((each) => each.replace(/\/$/, "") === wanted))
  }
}
