/** W6: an hourly run, in which one file has grown, one is new, and the others are unchanged. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import * as Client from "./Client.ts"
import * as Cost from "./Cost.ts"
import * as Load from "./Load.ts"
import * as Comparison from "./Comparison.ts"
import { report, summarize } from "./Results.ts"
import type { Workload } from "./Workload.ts"

const hours = 24
const bytes = 1_000_000

export const hourly: Workload = {
  name: "W6",
  run: async ({ other, peers, root, rounds, store }) => {
    const folder = join(root, "W6")
    const all = Load.make(join(folder, "input"), hours, bytes)
    const [grown, fresh] = all.files.slice(-2).map((file) => join(all.folder, file)) as [string, string]
    const content = readFileSync(grown)
    const contents = [
      { path: grown, content },
      { path: fresh, content: readFileSync(fresh) }
    ]

    // an hour ago, one file did not exist, and the other had half of its lines
    rmSync(fresh)
    writeFileSync(grown, content.subarray(0, content.indexOf("\n", bytes / 2) + 1))
    const builds: Array<Client.Client> = []
    for (const build of Client.builds(other)) {
      const before = Client.scratchIn(folder)
      const firstTask = { load: all, endpoint: store.http, authority: store.authority, scratch: before }
      await Cost.measure(build.command(firstTask))
      builds.push({
        ...build,
        command: (task) => {
          cpSync(before, task.scratch, { recursive: true })
          return build.command({ ...task, load: all })
        }
      })
    }
    for (const file of contents) writeFileSync(file.path, file.content)

    // the other programs get a folder with only the two changed files
    const two = join(folder, "two")
    mkdirSync(two)
    for (const file of contents) writeFileSync(join(two, basename(file.path)), file.content)
    const clients = [...builds, ...peers.flatMap(({ small }) => small.slice(0, 1))]
    const load = { folder: two, files: contents.map(({ path }) => basename(path)), bytes: 2 * bytes }
    const results = await Comparison.compare(store, clients, { folder, load, scheme: "http", rounds })
    const work = `W6: ${hours} files, one of them grown, one new`
    console.log(`\n### ${work}\n\n${report(results)}`)
    return [{ ...summarize(work, results), notes: `${results[0]!.seen.put + results[0]!.seen.post} requests` }]
  }
}
