/** W4: a run in which no file has changed, compared with find(1), which looks at the same files. */
import { mkdirSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Client from "./Client.ts"
import * as Cost from "./Cost.ts"
import type { NullStore } from "./NullStore.ts"
import { formatCost } from "./Results.ts"
import { costs, ratio } from "./Table.ts"
import type { Size, Workload } from "./Workload.ts"

/** The files are spread evenly over the directories. */
interface Tree {
  readonly files: number
  readonly directories: number
}

const flat = (files: number): Tree => ({ files, directories: 1 })

const describe = ({ directories, files }: Tree) =>
  `${files.toLocaleString("en")} unchanged files${directories === 1 ? "" : ` in ${directories.toLocaleString("en")} directories`}`

const titleOf = (name: string, tree: Tree) => `${name}, ${describe(tree)}`

/** The summary compares the memory of each tree with that of the first one. */
const trees: Record<Size, readonly [Tree, ...ReadonlyArray<Tree>]> = {
  tiny: [flat(10), flat(100), { files: 50, directories: 5 }],
  usual: [flat(10_000), flat(100_000), { files: 50_000, directories: 2_000 }],
  large: [flat(10_000), flat(100_000), flat(1_000_000), { files: 500_000, directories: 20_000 }]
}

/** Creates small snapshots, and for each build a ledger in which all of them are acknowledged. */
const prepare = async (
  root: string,
  store: NullStore,
  builds: ReadonlyArray<Client.Client>,
  tree: Tree
): Promise<Record<string, Cost.Command>> => {
  const folder = join(root, `${tree.files}-${tree.directories}`)
  const files = Array.from({ length: tree.files }, (_, at) => {
    const directory = tree.directories === 1 ? "" : `run-${at % tree.directories}/`
    return `${directory}snapshot_${String(at).padStart(10, "0")}.jsonl`
  })
  for (const [at, file] of files.entries()) {
    const path = join(folder, file)
    mkdirSync(dirname(path), { recursive: true })
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
    if (put !== tree.files) throw new Error(`only ${put} of ${tree.files} files are in the ledger`)
    commands[titleOf(build.name, tree)] = command
  }
  await store.reset()
  const find = `exec find "$0" -type f -printf '%p %s %T@\\n' > "$1"`
  return { ...commands, [titleOf("find", tree)]: { argv: ["sh", "-c", find, folder, join(root, "list")] } }
}

export const unchanged: Workload = {
  name: "W4",
  run: async ({ other, root, rounds, size, store }) => {
    const folder = join(root, "W4")
    mkdirSync(folder)
    const builds = Client.builds(other)
    const commands: Record<string, Cost.Command> = {}
    for (const tree of trees[size]) Object.assign(commands, await prepare(folder, store, builds, tree))
    const results = await Cost.measureAll(commands, rounds)
    const { connections } = await store.counters()
    if (connections > 0) throw new Error("a run without changed files connected to the store")
    console.log(`\n### W4: no file has changed\n\n${costs(results)}`)
    const [first] = trees[size]
    const costOf = (name: string, tree: Tree) => results[titleOf(name, tree)]!
    return trees[size].map((tree) => {
      const [cost, findCost] = [costOf("ibsr-export", tree), costOf("find", tree)]
      return {
        work: `W4: ${describe(tree)}`,
        ours: formatCost(cost),
        ratios: { find: `${ratio(cost.cpu, findCost.cpu)} / ${ratio(cost.wall, findCost.wall)}` },
        notes:
          tree === first
            ? ""
            : `${ratio(cost.peak, costOf("ibsr-export", first).peak)} the memory of ${describe(first)}`
      }
    })
  }
}
