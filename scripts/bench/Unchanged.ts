/** W4: a run in which nothing has changed, beside find(1), which looks at the same files. */
import { Effect } from "effect"
import { mkdirSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Concurrency from "../../src/domain/Concurrency.ts"
import * as MemoryStore from "../../test/fakes/MemoryStore.ts"
import { exportOnce } from "../../test/fixtures/Export.ts"
import { settingsWith } from "../../test/fixtures/Settings.ts"
import * as Product from "../build/Product.ts"
import * as Cost from "./Cost.ts"
import { costs, mebibytes, ratio, seconds } from "./Table.ts"
import type { Bench, Workload } from "./Workload.ts"

/** Nobody listens here: a request would be a failure. */
const endpoint = "http://127.0.0.1:9"

/** Files in one directory, the largest number being what is measured, the smallest what its memory is compared with. */
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
  const settings = settingsWith({ input, stateDir, concurrency: Concurrency.auto })
  const target = { ...settings.target, endpoint: new URL(endpoint) }
  const { totals } = await Effect.runPromise(exportOnce({ ...settings, target }, MemoryStore.make().layer))
  if (totals.uploaded !== count) throw new Error(`only ${totals.uploaded} of ${count} files are in the ledger`)
  const { bucket } = target
  const flags = ["--input", input, "--bucket", bucket, "--prefix", settings.prefix, "--endpoint", endpoint]
  const find = `exec find "$0" -type f -printf '%p %s %T@\\n' > "$1"`
  return {
    ours: { argv: [...Product.program(), "s3", ...flags, "--state-dir", stateDir] },
    find: { argv: ["sh", "-c", find, input, join(root, "list")] }
  }
}

const run = async ({ root, rounds, size }: Bench) => {
  const folder = join(root, "W4")
  mkdirSync(folder)
  const commands: Record<string, Cost.Command> = {}
  for (const count of counts[size]) {
    const { find, ours } = await prepare(folder, count)
    commands[`ibsr-export, ${count} files`] = ours
    commands[`find, ${count} files`] = find
  }
  const results = await Cost.ofEach(commands, rounds)
  console.log(`\n### W4: nothing has changed\n\n${costs(results)}`)
  const fewest = results[`ibsr-export, ${counts[size][0]} files`]!
  return counts[size].map((count) => {
    const [ours, find] = [results[`ibsr-export, ${count} files`]!, results[`find, ${count} files`]!]
    return {
      work: `W4, ${count} files unchanged`,
      ours: `${seconds(ours.cpu)} s / ${seconds(ours.wall)} s, ${mebibytes(ours.peak)} MiB`,
      ratios: {
        find: `${ratio(ours.cpu, find.cpu)} / ${ratio(ours.wall, find.wall)}`,
        "RSS over that of the fewest files": ratio(ours.peak, fewest.peak)
      }
    }
  })
}

export const unchanged: Workload = { name: "W4", run }
