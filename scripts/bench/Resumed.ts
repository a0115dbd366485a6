/** W7: a large upload that is killed when most of it is sent, and what the next run sends again. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import * as Client from "./Client.ts"
import * as Cost from "./Cost.ts"
import * as Load from "./Load.ts"
import { taken } from "./Results.ts"
import { megabytes, seconds, table } from "./Table.ts"
import type { Bench, Workload } from "./Workload.ts"

const bytes = { tiny: 50_000_000, usual: 1_000_000_000, large: 10_000_000_000 } as const
const killedAt = 0.9

/** Bytes that the store has seen until the kill, and of the next run: bytes, requests, and what it took. */
const once = async ({ root, size, store }: Bench, load: Load.Load) => {
  const scratch = Client.scratchIn(join(root, "W7"))
  const errand = { load, endpoint: store.http, authority: store.authority, scratch }
  const { argv, env } = Client.ours("ibsr-export").command(errand)
  await store.reset()
  const [program, ...flags] = argv as [string, ...Array<string>]
  const killed = spawn(program, flags, { env, stdio: "ignore" })
  const ended = new Promise<string | null>((resolve) => killed.once("exit", (_, signal) => resolve(signal)))
  while ((await store.counters()).bytes < killedAt * bytes[size] && killed.exitCode === null) await setTimeout(2)
  killed.kill("SIGKILL")
  if ((await ended) !== "SIGKILL") throw new Error("the upload ended before it was killed")
  const before = await store.counters()
  await store.reset()
  const cost = await Cost.of({ argv, ...(env === undefined ? {} : { env }) })
  return { before, cost, after: await store.counters() }
}

export const resumed: Workload = {
  name: "W7",
  run: async (bench) => {
    const size = bytes[bench.size]
    const load = Load.make(join(bench.root, "W7", "input"), 1, size)
    const rounds = (await Cost.inTurns([load], bench.rounds, () => once(bench, load))).flat()
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
    console.log(`\n### ${work}, and the run after that\n\n${table(columns, rows)}`)
    const most = Math.max(...rounds.map(({ after }) => after.bytes))
    const ours = taken(Cost.medians(rounds.map(({ cost }) => cost)))
    return [{ work, ours, ratios: {}, besides: `the next run sent ${((100 * most) / size).toFixed(1)} % of the bytes` }]
  }
}
