/** W6: the run of every hour, in which one file has grown, one is new, and the others are as they were. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import * as Client from "./Client.ts"
import * as Cost from "./Cost.ts"
import * as Load from "./Load.ts"
import * as Race from "./Race.ts"
import { report, verdict } from "./Results.ts"
import type { Workload } from "./Workload.ts"

const hours = 24
const bytes = 1_000_000

export const hourly: Workload = {
  name: "W6",
  run: async ({ peers, root, rounds, store }) => {
    const folder = join(root, "W6")
    const all = Load.make(join(folder, "input"), hours, bytes)
    const ours = Client.ours("ibsr-export")
    const [grown, fresh] = all.files.slice(-2).map((file) => join(all.folder, file)) as [string, string]
    const content = readFileSync(grown)
    const contents = [
      { path: grown, content },
      { path: fresh, content: readFileSync(fresh) }
    ]

    // an hour ago, one was not there, and the other had half of its lines
    rmSync(fresh)
    writeFileSync(grown, content.subarray(0, content.indexOf("\n", bytes / 2) + 1))
    const before = Client.scratchIn(folder)
    const errand = { load: all, endpoint: store.http, authority: store.authority, scratch: before }
    await Cost.of(ours.command(errand))
    for (const { content, path } of contents) writeFileSync(path, content)

    // others are told which two files it is about: they find them in a folder without the rest
    const two = join(folder, "two")
    mkdirSync(two)
    for (const { content, path } of contents) writeFileSync(join(two, basename(path)), content)
    const knowing: Client.Client = {
      ...ours,
      command: (errand) => {
        cpSync(before, errand.scratch, { recursive: true })
        return ours.command({ ...errand, load: all })
      }
    }
    const clients = [knowing, ...peers.flatMap(({ small }) => small.slice(0, 1))]
    const load = { folder: two, files: contents.map(({ path }) => basename(path)), bytes: 2 * bytes }
    const results = await Race.run(store, clients, { folder, load, scheme: "http", rounds })
    const work = `W6: ${hours} files, one of them grown, one new`
    console.log(`\n### ${work}\n\n${report(results)}`)
    return [{ ...verdict(work, results), besides: `${results[0]!.seen.put + results[0]!.seen.post} requests` }]
  }
}
