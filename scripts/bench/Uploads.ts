/** The workloads that are uploads of everything that is there. */
import { execFileSync } from "node:child_process"
import { rmSync } from "node:fs"
import { join } from "node:path"
import * as Client from "./Client.ts"
import * as Load from "./Load.ts"
import * as Race from "./Race.ts"
import { report, verdict } from "./Results.ts"
import type { Bench, Size, Verdict, Workload } from "./Workload.ts"

/** One way to reach the store. */
interface Course {
  readonly scheme: "http" | "https"
  /** Of each answer. */
  readonly delayMillis?: number
  /** Ours with these, besides what it chooses by itself. */
  readonly concurrency?: ReadonlyArray<number>
  /** All that are here, if not named. */
  readonly peers?: ReadonlyArray<string>
}

interface Upload {
  readonly name: string
  readonly kind: "small" | "large"
  readonly count: number
  /** Of one file. */
  readonly bytes: number
  readonly courses: ReadonlyArray<Course>
}

const both = [{ scheme: "http" }, { scheme: "https" }] as const

const uploads: ReadonlyArray<Upload> = [
  { name: "W1", kind: "small", count: 10_000, bytes: 5_000, courses: both },
  { name: "W2", kind: "large", count: 24, bytes: 40_000_000, courses: both },
  { name: "W3", kind: "large", count: 1, bytes: 1_000_000_000, courses: both },
  {
    name: "W5",
    kind: "small",
    count: 2_000,
    bytes: 5_000,
    courses: [
      { scheme: "http", delayMillis: 60, concurrency: [64, 128, 256, 512] },
      { scheme: "http", delayMillis: 1, concurrency: [8, 16, 32, 64, 128, 256, 512], peers: ["s5cmd", "curl"] },
      // with fewer at once it takes minutes, whoever does it
      { scheme: "http", delayMillis: 200, concurrency: [64, 128, 256, 512], peers: ["s5cmd"] }
    ]
  },
  { name: "one", kind: "small", count: 1, bytes: 65_000, courses: [{ scheme: "http" }] }
]

const scaled = (upload: Upload, size: Size): Upload => {
  const { bytes, count } = upload
  switch (size) {
    case "usual":
      return upload
    case "tiny":
      // still of two parts
      return { ...upload, count: Math.ceil(count / 500), bytes: Math.min(bytes, 10_000_000) }
    case "large":
      return count === 1 ? { ...upload, bytes: bytes * 10 } : { ...upload, count: count * 10 }
  }
}

/** As 24 files of 40 MB. */
const about = ({ bytes, count }: Upload): string => {
  const size = bytes < 1e6 ? `${bytes / 1e3} KB` : bytes < 1e9 ? `${bytes / 1e6} MB` : `${bytes / 1e9} GB`
  return `${count.toLocaleString("en")} ${count === 1 ? "file" : "files"} of ${size}`
}

const clientsOf = (
  { kind }: Upload,
  { concurrency = [], peers: named }: Course,
  { other, peers, size }: Bench
): ReadonlyArray<Client.Client> => [
  Client.ours("ibsr-export"),
  ...(other === undefined ? [] : [Client.ours(`ibsr-export, ${other}`, [], [other])]),
  ...(size === "tiny" ? concurrency.slice(0, 1) : concurrency).map((most) =>
    Client.ours(`ibsr-export --concurrency ${most}`, ["--concurrency", String(most)])
  ),
  ...peers.filter(({ program }) => named?.includes(program) ?? true).flatMap((peer) => peer[kind])
]

const run = async (given: Upload, bench: Bench): Promise<ReadonlyArray<Verdict>> => {
  const upload = scaled(given, bench.size)
  const { rounds, store } = bench
  const folder = join(bench.root, upload.name)
  const load = Load.make(join(folder, "input"), upload.count, upload.bytes)
  execFileSync("sync")
  const verdicts: Array<Verdict> = []
  for (const course of upload.courses) {
    const { delayMillis = 0, scheme } = course
    await store.delay(delayMillis)
    const results = await Race.run(store, clientsOf(upload, course, bench), { folder, load, scheme, rounds })
    const delay = delayMillis === 0 ? "" : `, ${delayMillis} ms an answer`
    const work = `${upload.name}: ${about(upload)}, ${scheme}${delay}`
    console.log(`\n### ${work}\n\n${report(results)}`)
    verdicts.push(verdict(work, results))
  }
  await store.delay(0)
  rmSync(folder, { recursive: true })
  return verdicts
}

export const workloads: ReadonlyArray<Workload> = uploads.map((upload) => ({
  name: upload.name,
  run: (bench) => run(upload, bench)
}))
