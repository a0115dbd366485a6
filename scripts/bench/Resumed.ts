/** W7: a large upload that is killed when most of it was sent. Measures how much the next run sends again. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import * as Client from "./Client.ts"
import * as Cost from "./Cost.ts"
import * as Load from "./Load.ts"
import { formatCost } from "./Results.ts"
import { megabytes, seconds, table } from "./Table.ts"
import type { Bench, Workload } from "./Workload.ts"

const bytes = { tiny: 50_000_000, usual: 1_000_000_000, large: 10_000_000_000 } as const
const killedAt = 0.9

/** Kills an upload and runs it again. Returns the store's counters before and after, and the cost of the second run. */
const killAndResume = async ({ root, size, store }: Bench, load: Load.Load) => {
  const scratch = Client.scratchIn(join(root, "W7"))
  const task = { load, endpoint: store.http, authority: store.authority, scratch }
  const { argv, env } = Client.ours("ibsr-export").command(task)
  await store.reset()
  const [program, ...flags] = argv as [string, ...Array<string>]
  const child = spawn(program, flags, { env, stdio: "ignore" })
  const exitSignal = new Promise<string | null>((resolve) => child.once("exit", (_, signal) => resolve(signal)))
  while ((await store.counters()).bytes < killedAt * bytes[size] && child.exitCode === null) await setTimeout(2)
  child.kill("SIGKILL")
  if ((await exitSignal) !== "SIGKILL") throw new Error("the upload finished before it was killed")
  const before = await store.counters()
  await store.reset()
  const cost = await Cost.measure({ argv, ...(env === undefined ? {} : { env }) })
  return { before, cost, after: await store.counters() }
}

export const resumed: Workload = {
  name: "W7",
  run: async (bench) => {
    const size = bytes[bench.size]
    const load = Load.make(join(bench.root, "W7", "input"), 1, size)
    const rounds = (await Cost.interleave([load], bench.rounds, () => killAndResume(bench, load))).flat()
    const work = `W7: ${size / 1e6} MB, killed at ${killedAt * 100} %`
    const columns = ["round", "MB before the kill", "MB after it", "parts", "POST", "CPU s", "wall s"]
    const rows = rounds.map(({ after, before, cost }, at) => [
      String(at + 1),
      megabytes(before.bytes),
      megabytes(after.bytes),
      String(after.parts),
      String(after.post),
      seconds(cost.cpu),
      seconds(cost.wall)
    ])
    console.log(`\n### ${work}, and the next run\n\n${table(columns, rows)}`)
    const most = Math.max(...rounds.map(({ after }) => after.bytes))
    const ours = formatCost(Cost.medians(rounds.map(({ cost }) => cost)))
    return [{ work, ours, ratios: {}, notes: `the next run sent ${((100 * most) / size).toFixed(1)} % of the bytes` }]
  }
}
