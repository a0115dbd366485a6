/** The workloads that are uploads of everything that is there. */
import { execFileSync } from "node:child_process"
import { rmSync } from "node:fs"
import { join } from "node:path"
import * as Client from "./Client.ts"
import * as Load from "./Load.ts"
import * as Race from "./Race.ts"
import { mebibytes, megabytes, ratio, seconds, table } from "./Table.ts"
import type { Bench, Verdict, Workload } from "./Workload.ts"

interface Upload {
  readonly name: string
  readonly kind: "small" | "large"
  readonly count: number
  /** Of one file. */
  readonly bytes: number
  /** `delayMillis`: of each answer. */
  readonly courses: ReadonlyArray<{ readonly scheme: "http" | "https"; readonly delayMillis?: number }>
  /** Settings of ours, beside none. */
  readonly settings?: ReadonlyArray<ReadonlyArray<string>>
}

/** As 24 files of 40 MB. */
const about = ({ bytes, count }: Upload): string => {
  const size = bytes < 1e6 ? `${bytes / 1e3} KB` : bytes < 1e9 ? `${bytes / 1e6} MB` : `${bytes / 1e9} GB`
  return `${count.toLocaleString("en")} ${count === 1 ? "file" : "files"} of ${size}`
}

const both = [{ scheme: "http" }, { scheme: "https" }] as const

const uploads: ReadonlyArray<Upload> = [
  { name: "W1", kind: "small", count: 10_000, bytes: 5_000, courses: both },
  { name: "W2", kind: "large", count: 24, bytes: 40_000_000, courses: both },
  { name: "W3", kind: "large", count: 1, bytes: 1_000_000_000, courses: both },
  { name: "one", kind: "small", count: 1, bytes: 65_000, courses: [{ scheme: "http" }] }
]

const clientsOf = ({ kind, settings = [] }: Upload, { other, peers }: Bench): ReadonlyArray<Client.Client> => [
  Client.ours("ibsr-export"),
  ...(other === undefined ? [] : [Client.ours(`ibsr-export (${other})`, [], [other])]),
  ...settings.map((flags) => Client.ours(`ibsr-export ${flags.join(" ")}`, flags)),
  ...peers.flatMap((peer) => peer[kind])
]

const requests = ({ delete: deleted, get, head, parts, post, put }: Race.Result["seen"]): string =>
  Object.entries({ PUT: put - parts, parts, POST: post, HEAD: head, GET: get, DELETE: deleted })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what}`)
    .join(", ")

const columns = [
  "client",
  "CPU s",
  "wall s",
  "RSS MiB",
  "requests",
  "MB sent",
  "connections",
  "at once",
  "store's CPU s"
]

const report = (results: ReadonlyArray<Race.Result>): string => {
  const ours = results[0]!
  const rows = results.map((result) => [
    result.client.name,
    seconds(result.cpu),
    seconds(result.wall),
    mebibytes(result.peak),
    requests(result.seen),
    megabytes(result.seen.bytes),
    String(result.seen.connections),
    String(result.seen.mostInFlight),
    seconds(result.seen.cpu),
    result === ours ? "" : ratio(ours.cpu, result.cpu),
    result === ours ? "" : ratio(ours.wall, result.wall)
  ])
  return table([...columns, "our CPU", "our wall"], rows)
}

/** Of the settings of a program, the best CPU and the best wall, even if they are not of the same. */
const verdict = (work: string, results: ReadonlyArray<Race.Result>): Verdict => {
  const [ours, ...others] = results as [Race.Result, ...Array<Race.Result>]
  const best = (those: ReadonlyArray<Race.Result>) => {
    const least = (what: "cpu" | "wall") => Math.min(...those.map((result) => result[what]))
    return `${ratio(ours.cpu, least("cpu"))} / ${ratio(ours.wall, least("wall"))}`
  }
  const rivals = others.filter(({ client }) => client.program !== ours.client.program)
  const serious = rivals.filter(({ client }) => client.program !== "curl")
  const programs = Object.entries(Object.groupBy(rivals, ({ client }) => client.program))
  return {
    work,
    ours: `${seconds(ours.cpu)} s / ${seconds(ours.wall)} s, ${mebibytes(ours.peak)} MiB`,
    ratios: {
      ...Object.fromEntries(programs.map(([program, those]) => [program, best(those!)])),
      ...(serious.length === 0 ? {} : { "best peer": best(serious) })
    }
  }
}

const tiny = (upload: Upload): Upload => ({
  ...upload,
  count: Math.max(1, Math.round(upload.count / 500)),
  // still of two parts
  bytes: Math.min(upload.bytes, 10_000_000)
})

const run = async (given: Upload, bench: Bench): Promise<ReadonlyArray<Verdict>> => {
  const upload = bench.size === "tiny" ? tiny(given) : given
  const folder = join(bench.root, upload.name)
  const load = Load.make(join(folder, "input"), upload.count, upload.bytes)
  execFileSync("sync")
  const verdicts: Array<Verdict> = []
  for (const { delayMillis = 0, scheme } of upload.courses) {
    bench.store.delay(delayMillis)
    const results = await Race.run(bench.store, clientsOf(upload, bench), {
      folder,
      load,
      scheme,
      rounds: bench.rounds
    })
    const work = `${upload.name} ${scheme}${delayMillis === 0 ? "" : `, ${delayMillis} ms an answer`}`
    console.log(`\n### ${work}: ${about(upload)}\n\n${report(results)}`)
    verdicts.push(verdict(work, results))
  }
  bench.store.delay(0)
  rmSync(folder, { recursive: true })
  return verdicts
}

export const workloads: ReadonlyArray<Workload> = uploads.map((upload) => ({
  name: upload.name,
  run: (bench) => run(upload, bench)
}))
