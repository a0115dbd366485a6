// Measures what an export costs, and compares it with other programs: `npm run bench -- --help` lists the options. Every
// figure is a median of rounds in which the clients take turns. Only the ratios between figures are meaningful.
import { execFileSync } from "node:child_process"
import { cpus } from "node:os"
import process from "node:process"
import { parseArgs } from "node:util"
import { hourly } from "./bench/Hourly.ts"
import * as NullStore from "./bench/NullStore.ts"
import * as Peers from "./bench/Peers.ts"
import { resumed } from "./bench/Resumed.ts"
import { start } from "./bench/Start.ts"
import { table } from "./bench/Table.ts"
import { temporaryFolder } from "./bench/TemporaryFolder.ts"
import { unchanged } from "./bench/Unchanged.ts"
import * as Uploads from "./bench/Uploads.ts"
import { sizes, type SummaryRow } from "./bench/Workload.ts"
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
const selected = positionals.length === 0 ? names : positionals
const chosen = values.peers.split(",").filter((name) => name !== "")
const isValid = selected.every((name) => names.includes(name)) && chosen.every((name) => Peers.names.includes(name))
if (values.help || !isValid || size === undefined || !(rounds >= 1)) {
  console.log(`npm run bench [-- [WORKLOAD …] [--rounds N] [--peers NAME,…] [--other BINARY] [--size ${sizes.join("|")}]]
  workloads: ${names.join(", ")} (default: all)
  peers: ${Peers.names.join(", ")} (default: all that are installed)
  other: another build of ibsr-export to compare with`)
  process.exit(values.help ? 0 : 2)
}

const peers = chosen.map(Peers.find).filter((peer) => peer !== undefined)
const missing = chosen.filter((name) => !peers.some(({ program }) => program === name))
const [command, ...flags] = Product.program() as [string, ...Array<string>]
const ownVersion = execFileSync(command, [...flags, "--version"], { encoding: "utf8" }).trim()
console.log(`# ${ownVersion}, ${new Date().toISOString().slice(0, 10)}\n`)
console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.versions.node}; medians of ${rounds} rounds.`)
if (peers.length > 0)
  console.log(`Compared with ${peers.map(({ program, version }) => `${program} (${version})`).join(", ")}.`)
if (missing.length > 0) console.log(`Not installed: ${missing.join(", ")} (npm run testbed installs them).`)

// A file that was just written is in larger pages of the page cache than a file that was read, and a binary that is
// mapped from them seems to take up to 30 MiB more memory. This removes the pages, so that every binary is read from disk.
const evict = `
import os, sys
file = os.open(sys.argv[1], os.O_RDONLY)
os.fdatasync(file)
os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)`
for (const binary of [command, ...(values.other === undefined ? [] : [values.other])]) {
  execFileSync("python3", ["-c", evict, binary], { stdio: "pipe" })
}

const summary: Array<SummaryRow> = []
const root = temporaryFolder()
const store = await NullStore.start(root)
for (const workload of workloads.filter(({ name }) => selected.includes(name))) {
  summary.push(...(await workload.run({ store, peers, rounds, root, size, other: values.other })))
}
await store.stop()

const programs = [...Peers.names, "best peer", "find"].filter((name) => summary.some(({ ratios }) => name in ratios))
const rows = summary.map(({ notes = "", ours, ratios, work }) => [
  work,
  ours,
  ...programs.map((name) => ratios[name] ?? "–"),
  notes
])
console.log(
  "\n## CPU and wall time of ibsr-export, its memory, and the ratios to the other programs with their best settings\n"
)
console.log(table(["work", "ours", ...programs, "notes"], rows))
