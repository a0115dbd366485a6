// What exporting costs, beside what other programs take for the same: `npm run bench -- --help` says what there is to
// choose. Every figure is a median of rounds in which the clients take turns; what they are good for is their ratio.
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import * as NullStore from "./bench/NullStore.ts"
import * as Peers from "./bench/Peers.ts"
import { table } from "./bench/Table.ts"
import { start } from "./bench/Start.ts"
import { unchanged } from "./bench/Unchanged.ts"
import * as Uploads from "./bench/Uploads.ts"
import type { Verdict } from "./bench/Workload.ts"

const workloads = [...Uploads.workloads, unchanged, start]
const names = workloads.map(({ name }) => name)

const usage = `npm run bench [-- [WORKLOAD …] [--rounds N] [--peers NAME,…] [--other BINARY] [--size tiny|usual|large]]
workloads: ${names.join(", ")}; all of them if none is named
peers: ${Peers.here.map(({ program, version }) => `${program} (${version})`).join(", ")}; all of them if none is named`

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    peers: { type: "string", default: Peers.here.map(({ program }) => program).join() },
    other: { type: "string" },
    size: { type: "string", default: "usual" }
  }
})

const { other, size } = values
const rounds = Number(values.rounds)
const unknown = positionals.filter((name) => !names.includes(name))
if (values.help || unknown.length > 0 || !(rounds >= 1) || (size !== "tiny" && size !== "usual" && size !== "large")) {
  console.log(usage)
  process.exit(values.help ? 0 : 2)
}

const peers = Peers.here.filter(({ program }) => values.peers.split(",").includes(program))
const version = execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" }).trim()
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${version}, Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model}; medians of ${rounds}`
)
console.log(`beside: ${peers.map(({ program, version }) => `${program} ${version}`).join(", ")}`)
if (Peers.missing.length > 0)
  console.log(`left out, because not installed: ${Peers.missing.join(", ")} (npm run testbed)`)

const root = mkdtempSync(join(tmpdir(), "ibsr-export-bench-"))
const verdicts: Array<Verdict> = []
try {
  const store = await NullStore.start(root)
  for (const workload of workloads) {
    if (positionals.length > 0 && !positionals.includes(workload.name)) continue
    verdicts.push(...(await workload.run({ store, peers, rounds, root, size, other })))
  }
  await store.stop()
} finally {
  rmSync(root, { recursive: true })
}
const columns = [...new Set(verdicts.flatMap(({ ratios }) => Object.keys(ratios)))]
const rows = verdicts.map(({ ours, ratios, work }) => [work, ours, ...columns.map((name) => ratios[name] ?? "–")])
console.log(`\n## CPU and wall of ours, and over those of each other program at its best\n`)
console.log(table(["work", "ours", ...columns], rows))
