/** W4: a run in which nothing has changed, beside find(1), which looks at the same files. */
import { Effect } from "effect"
import { mkdirSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as ConcurrencyLimit from "../../src/domain/ConcurrencyLimit.ts"
import * as MemoryStore from "../../test/fakes/MemoryStore.ts"
import { exportOnce } from "../../test/fixtures/Export.ts"
import { settingsWith } from "../../test/fixtures/Settings.ts"
import * as Product from "../build/Product.ts"
import * as Cost from "./Cost.ts"
import { taken } from "./Results.ts"
import { costs, ratio } from "./Table.ts"
import type { Workload } from "./Workload.ts"

/** Nobody listens here: a request would be a failure. */
const endpoint = "http://127.0.0.1:9"

type Of = (count: number) => string

/** How many files are in one directory. */
const counts = { tiny: [10, 100], usual: [10_000, 100_000], large: [10_000, 100_000, 1_000_000] } as const

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
  const settings = settingsWith({ input, stateDir, endpoint: new URL(endpoint), concurrency: ConcurrencyLimit.auto })
  const { totals } = await Effect.runPromise(exportOnce(settings, MemoryStore.make().layer))
  if (totals.uploaded !== count) throw new Error(`only ${totals.uploaded} of ${count} files are in the ledger`)
  const { bucket, prefix } = settings
  const flags = ["--input", input, "--bucket", bucket, "--prefix", prefix, "--endpoint", endpoint]
  const find = `exec find "$0" -type f -printf '%p %s %T@\\n' > "$1"`
  return {
    ours: { argv: [...Product.program(), "s3", ...flags, "--state-dir", stateDir] },
    find: { argv: ["sh", "-c", find, input, join(root, "list")] }
  }
}

export const unchanged: Workload = {
  name: "W4",
  run: async ({ root, rounds, size }) => {
    const folder = join(root, "W4")
    mkdirSync(folder)
    const commands: Record<string, Cost.Command> = {}
    const [ours, find] = ["ibsr-export", "find"].map((name) => (count: number) => `${name}, ${count} files`) as [Of, Of]
    for (const count of counts[size]) {
      const prepared = await prepare(folder, count)
      commands[ours(count)] = prepared.ours
      commands[find(count)] = prepared.find
    }
    const results = await Cost.ofEach(commands, rounds)
    console.log(`\n### W4: nothing has changed\n\n${costs(results)}`)
    const [fewest] = counts[size]
    return counts[size].map((count) => {
      const [cost, finds] = [results[ours(count)]!, results[find(count)]!]
      return {
        work: `W4: ${count.toLocaleString("en")} files, none of them changed`,
        ours: taken(cost),
        ratios: { find: `${ratio(cost.cpu, finds.cpu)} / ${ratio(cost.wall, finds.wall)}` },
        besides:
          count === fewest
            ? ""
            : `${ratio(cost.peak, results[ours(fewest)]!.peak)} the memory of ${fewest.toLocaleString("en")} files`
      }
    })
  }
}
