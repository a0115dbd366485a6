/** W4: a run in which no file has changed, compared with find(1), which looks at the same files. */
import { mkdirSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Client from "./Client.ts"
import * as Cost from "./Cost.ts"
import type { NullStore } from "./NullStore.ts"
import { formatCost } from "./Results.ts"
import { costs, ratio } from "./Table.ts"
import type { Workload } from "./Workload.ts"

const titleOf = (name: string, count: number) => `${name}, ${count} files`

/** Numbers of files in one directory. */
const counts = { tiny: [10, 100], usual: [10_000, 100_000], large: [10_000, 100_000, 1_000_000] } as const

/** Creates a directory of small snapshots, and for each build a ledger in which all of them are acknowledged. */
const prepare = async (
  root: string,
  store: NullStore,
  builds: ReadonlyArray<Client.Client>,
  count: number
): Promise<Record<string, Cost.Command>> => {
  const folder = join(root, String(count))
  mkdirSync(folder)
  const files = Array.from({ length: count }, (_, at) => `snapshot_${String(at).padStart(10, "0")}.jsonl`)
  for (const [at, file] of files.entries()) {
    const path = join(folder, file)
    writeFileSync(path, `{"at":${at}}\n`)
    utimesSync(path, 1_700_000_000, 1_700_000_000)
  }
  const load = { folder, files, bytes: 0 }
  const commands: Record<string, Cost.Command> = {}
  for (const build of builds) {
    const scratch = Client.scratchIn(root)
    const command = build.command({ load, endpoint: store.http, authority: store.authority, scratch })
    await store.reset()
    await Cost.measure(command)
    const { put } = await store.counters()
    if (put !== count) throw new Error(`only ${put} of ${count} files are in the ledger`)
    commands[titleOf(build.name, count)] = command
  }
  await store.reset()
  const find = `exec find "$0" -type f -printf '%p %s %T@\\n' > "$1"`
  return { ...commands, [titleOf("find", count)]: { argv: ["sh", "-c", find, folder, join(root, "list")] } }
}

export const unchanged: Workload = {
  name: "W4",
  run: async ({ other, root, rounds, size, store }) => {
    const folder = join(root, "W4")
    mkdirSync(folder)
    const builds = Client.builds(other)
    const commands: Record<string, Cost.Command> = {}
    for (const count of counts[size]) Object.assign(commands, await prepare(folder, store, builds, count))
    const results = await Cost.measureAll(commands, rounds)
    const { connections } = await store.counters()
    if (connections > 0) throw new Error("a run without changed files connected to the store")
    console.log(`\n### W4: no file has changed\n\n${costs(results)}`)
    const [fewest] = counts[size]
    const costOf = (name: string, count: number) => results[titleOf(name, count)]!
    return counts[size].map((count) => {
      const [cost, findCost] = [costOf("ibsr-export", count), costOf("find", count)]
      return {
        work: `W4: ${count.toLocaleString("en")} unchanged files`,
        ours: formatCost(cost),
        ratios: { find: `${ratio(cost.cpu, findCost.cpu)} / ${ratio(cost.wall, findCost.wall)}` },
        notes:
          count === fewest
            ? ""
            : `${ratio(cost.peak, costOf("ibsr-export", fewest).peak)} the memory of ${fewest.toLocaleString("en")} files`
      }
    })
  }
}
