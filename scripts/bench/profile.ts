// Profiles an export: `node scripts/bench/profile.ts [--count N] [--bytes N] [--https] [--keep FILE] [-- FLAGS]` exports
// `count` files of `bytes` bytes to the null store under Node's profiler, and prints the time by area of code and by
// function. These are times of the main thread: other threads, which read files or collect garbage, count only in the total.
import { readFileSync, readdirSync, writeFileSync } from "node:fs"
import { SourceMap } from "node:module"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { generateBundle } from "../build/bundle.ts"
import { areaOf } from "./Areas.ts"
import * as Client from "./Client.ts"
import * as Cost from "./Cost.ts"
import { temporaryFolder } from "./TemporaryFolder.ts"
import * as Load from "./Load.ts"
import * as NullStore from "./NullStore.ts"
import { seconds, table } from "./Table.ts"

interface Frame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
  readonly columnNumber: number
}

/** Node's format: the call tree, and the node that ran at each sample. Lines and columns count from 0. */
interface Profile {
  readonly nodes: ReadonlyArray<{
    readonly id: number
    readonly children?: ReadonlyArray<number>
    readonly callFrame: Frame
  }>
  readonly samples: ReadonlyArray<number>
  /** Microseconds since the previous sample. */
  readonly timeDeltas: ReadonlyArray<number>
}

interface Source {
  readonly file: string
  readonly line: number
}

const { positionals: flags, values } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string", default: "10000" },
    bytes: { type: "string", default: "5000" },
    https: { type: "boolean", default: false },
    keep: { type: "string" }
  }
})
const count = Number(values.count)

/** Sums up the seconds by area and by function. */
const sums = (profile: Profile, sourceOf: (frame: Frame) => Source) => {
  const parents = new Map(profile.nodes.flatMap(({ children = [], id }) => children.map((child) => [child, id])))
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  /** Native code has no file, so it counts for the area of its caller. */
  const placeOf = (id: number): { readonly area: string; readonly where: string } => {
    const node = nodes.get(id)!
    const { functionName, url } = node.callFrame
    if (/^\((garbage collector|program|idle|root)\)$/.test(functionName)) return { area: functionName, where: "" }
    const parent = parents.get(id)
    if (url === "") return { area: parent === undefined ? "other" : placeOf(parent).area, where: "native" }
    const { file, line } = sourceOf(node.callFrame)
    return { area: areaOf(file), where: `${file.replace(/.*node_modules\//, "")}:${line + 1}` }
  }
  const [areas, functions] = [new Map<string, number>(), new Map<string, number>()]
  const add = (sum: Map<string, number>, name: string, spent: number) => sum.set(name, (sum.get(name) ?? 0) + spent)
  for (const [at, id] of profile.samples.entries()) {
    const spent = (profile.timeDeltas[at + 1] ?? 0) / 1e6
    const { area, where } = placeOf(id)
    add(areas, area, spent)
    add(functions, `${nodes.get(id)!.callFrame.functionName || "(anonymous)"} ${where}`, spent)
  }
  return { areas, functions }
}

const rows = (sum: Map<string, number>, total: number, scale: number, limit = Infinity) =>
  [...sum]
    .filter(([name]) => !name.startsWith("(idle)"))
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, limit)
    .map(([name, spent]) => [
      name,
      seconds(spent * scale),
      `${((100 * spent) / total).toFixed(1)} %`,
      ((spent * scale * 1e6) / count).toFixed(1)
    ])

const root = temporaryFolder()
const store = await NullStore.start(root)
try {
  const load = Load.make(join(root, "input"), count, Number(values.bytes))
  const { code, map } = await generateBundle("profile", true)
  const program = join(root, "ibsr-export.cjs")
  writeFileSync(program, code)
  const sources = new SourceMap(JSON.parse(map!.toString()))
  const node = [process.execPath, "--cpu-prof", "--cpu-prof-interval", "500", "--cpu-prof-dir", join(root, "profile")]
  const ours = Client.ours("ibsr-export", flags, [...node, program])
  const endpoint = store[values.https ? "https" : "http"]
  const command = ours.command({ load, endpoint, authority: store.authority, scratch: Client.scratchIn(root) })
  const cost = await Cost.measure(command)
  const [file] = readdirSync(join(root, "profile"))
  const text = readFileSync(join(root, "profile", file!), "utf8")
  if (values.keep !== undefined) writeFileSync(values.keep, text)
  const { areas, functions } = sums(JSON.parse(text) as Profile, ({ columnNumber, lineNumber, url }) => {
    const generated = { file: url, line: lineNumber }
    if (!url.endsWith("ibsr-export.cjs")) return generated
    const entry = sources.findEntry(lineNumber, columnNumber)
    // code that the bundler adds has no source
    return "originalSource" in entry && entry.originalSource !== undefined
      ? { file: entry.originalSource, line: entry.originalLine }
      : { ...generated, file: "bundler" }
  })
  const total = [...areas].reduce((sum, [name, spent]) => (name === "(idle)" ? sum : sum + spent), 0)
  const columns = (what: string) => [what, "s", "share", "µs per file"]
  // samples measure wall time, which includes time that other processes took the processor
  const scale = Math.min(1, cost.cpu / total)
  console.log(`CPU of the process: ${seconds(cost.cpu)} s; of its main thread: ${seconds(total * scale)} s at most\n`)
  console.log(table(columns("code"), rows(areas, total, scale)))
  console.log(`\n${table(columns("function"), rows(functions, total, scale, 30))}`)
} finally {
  await store.stop()
}
