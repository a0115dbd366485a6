// What exporting costs, beside what other programs take for the same: `npm run bench -- --help` says what there is to
// choose. Every figure is a median of rounds in which the clients take turns; what they are good for is their ratio.
import { execFileSync } from "node:child_process"
import { cpus } from "node:os"
import process from "node:process"
import { parseArgs } from "node:util"
import { temporary } from "./bench/Folder.ts"
import { hourly } from "./bench/Hourly.ts"
import * as NullStore from "./bench/NullStore.ts"
import * as Peers from "./bench/Peers.ts"
import { resumed } from "./bench/Resumed.ts"
import { start } from "./bench/Start.ts"
import { table } from "./bench/Table.ts"
import { unchanged } from "./bench/Unchanged.ts"
import * as Uploads from "./bench/Uploads.ts"
import { sizes, type Verdict } from "./bench/Workload.ts"
import * as Product from "./build/Product.ts"

const workloads = [...Uploads.workloads, unchanged, hourly, resumed, start]
const names = workloads.map(({ name }) => name)

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    peers: { type: "string", default: Peers.names.join() },
    other: { type: "string" },
    size: { type: "string", default: "usual" }
  }
})
const rounds = Number(values.rounds)
const size = sizes.find((each) => each === values.size)
const wanted = positionals.length === 0 ? names : positionals
const chosen = values.peers.split(",").filter((name) => name !== "")
const understood = wanted.every((name) => names.includes(name)) && chosen.every((name) => Peers.names.includes(name))
if (values.help || !understood || size === undefined || !(rounds >= 1)) {
  console.log(`npm run bench [-- [WORKLOAD …] [--rounds N] [--peers NAME,…] [--other BINARY] [--size ${sizes.join("|")}]]
  workloads: ${names.join(", ")}; all, if none is named
  peers: ${Peers.names.join(", ")}; all that are here, if none is named
  other: another build of ours, which takes part`)
  process.exit(values.help ? 0 : 2)
}

const peers = chosen.map(Peers.find).filter((peer) => peer !== undefined)
const missing = chosen.filter((name) => !peers.some(({ program }) => program === name))
const [program, ...flags] = Product.program() as [string, ...Array<string>]
const version = execFileSync(program, [...flags, "--version"], { encoding: "utf8" }).trim()
console.log(`# ${version}, ${new Date().toISOString().slice(0, 10)}\n`)
console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.versions.node}; medians of ${rounds}, in turns.`)
if (peers.length > 0)
  console.log(`Beside ${peers.map(({ program, version }) => `${program} (${version})`).join(", ")}.`)
if (missing.length > 0) console.log(`Not here, and left out: ${missing.join(", ")} (npm run testbed).`)

const verdicts: Array<Verdict> = []
const root = temporary()
const store = await NullStore.start(root)
for (const workload of workloads.filter(({ name }) => wanted.includes(name))) {
  verdicts.push(...(await workload.run({ store, peers, rounds, root, size, other: values.other })))
}
await store.stop()

const programs = [...Peers.names, "best peer", "find"].filter((name) => verdicts.some(({ ratios }) => name in ratios))
const rows = verdicts.map(({ besides = "", ours, ratios, work }) => [
  work,
  ours,
  ...programs.map((name) => ratios[name] ?? "–"),
  besides
])
console.log("\n## CPU and wall of ours, its memory, and how often it takes what each other program takes at its best\n")
console.log(table(["work", "ours", ...programs, "besides"], rows))
