// What a run costs in which nothing has changed, beside find(1), which looks at the same files. Run it by hand on a
// quiet machine: all figures are of one run, taken in turns, and what they are good for is their ratio.
import { Effect } from "effect"
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Concurrency from "../../src/domain/Concurrency.ts"
import * as MemoryStore from "../../test/fakes/MemoryStore.ts"
import { exportOnce } from "../../test/fixtures/Export.ts"
import { settingsWith } from "../../test/fixtures/Settings.ts"
import * as Product from "../build/Product.ts"
import * as Cost from "./Cost.ts"

const counts = [10_000, 100_000] as const
const rounds = 7
const endpoint = "http://127.0.0.1:9"

/** A directory of small snapshots, and a ledger in which all of them are stored. */
const prepare = async (root: string, count: number) => {
  const input = join(root, String(count))
  const stateDir = join(root, `state-${count}`)
  mkdirSync(input)
  for (let at = 0; at < count; at++) {
    const path = join(input, `snapshot_${String(at).padStart(10, "0")}.jsonl`)
    writeFileSync(path, `{"at":${at}}\n`)
    utimesSync(path, 1_700_000_000, 1_700_000_000)
  }
  const settings = settingsWith({ input, stateDir, concurrency: Concurrency.auto })
  const target = { ...settings.target, endpoint: new URL(endpoint) }
  const { totals } = await Effect.runPromise(exportOnce({ ...settings, target }, MemoryStore.make().layer))
  if (totals.uploaded !== count) throw new Error(`only ${totals.uploaded} of ${count} files are in the ledger`)
  const { bucket } = target
  const flags = ["--input", input, "--bucket", bucket, "--prefix", settings.prefix, "--endpoint", endpoint]
  const find = `exec find "$0" -type f -printf '%p %s %T@\\n' > "$1"`
  return {
    [`ibsr-export, ${count} files`]: [...Product.program(), "s3", ...flags, "--state-dir", stateDir],
    [`find, ${count} files`]: ["sh", "-c", find, input, join(root, "list")]
  }
}

const root = mkdtempSync(join(tmpdir(), "ibsr-export-bench-"))
try {
  const commands = { ...(await prepare(root, counts[0])), ...(await prepare(root, counts[1])) }
  const costs = await Cost.measure(commands, rounds)
  Cost.heading("nothing changed since the last run", rounds)
  for (const [name, cost] of Object.entries(costs)) Cost.print(name, cost)
  const [few, findFew, many, findMany] = Object.values(costs)
  console.log(`\nCPU of find: ${(few!.cpu / findFew!.cpu).toFixed(1)}× and ${(many!.cpu / findMany!.cpu).toFixed(1)}×`)
  console.log(`RSS of ${counts[1]} files over that of ${counts[0]}: ${(many!.peak / few!.peak).toFixed(2)}`)
} finally {
  rmSync(root, { recursive: true })
}
