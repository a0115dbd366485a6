/** The workloads that upload all files. */
import { execFileSync } from "node:child_process"
import { rmSync } from "node:fs"
import { join } from "node:path"
import * as Client from "./Client.ts"
import * as Load from "./Load.ts"
import * as Comparison from "./Comparison.ts"
import { report, summarize } from "./Results.ts"
import type { Bench, Size, SummaryRow, Workload } from "./Workload.ts"

/** A way to upload the same files. */
interface Variant {
  readonly scheme: "http" | "https"
  /** The delay of each answer. */
  readonly delayMillis?: number
  /** Also measures ibsr-export with these settings of --concurrency. */
  readonly concurrency?: ReadonlyArray<number>
  /** The programs to compare with. Default: all that are installed. */
  readonly peers?: ReadonlyArray<string>
}

interface Upload {
  readonly name: string
  readonly kind: "small" | "large"
  readonly count: number
  /** The size of one file. */
  readonly bytes: number
  readonly variants: ReadonlyArray<Variant>
}

const both = [{ scheme: "http" }, { scheme: "https" }] as const

const uploads: ReadonlyArray<Upload> = [
  { name: "W1", kind: "small", count: 10_000, bytes: 5_000, variants: both },
  { name: "W2", kind: "large", count: 24, bytes: 40_000_000, variants: both },
  { name: "W3", kind: "large", count: 1, bytes: 1_000_000_000, variants: both },
  {
    name: "W5",
    kind: "small",
    count: 2_000,
    bytes: 5_000,
    variants: [
      { scheme: "http", delayMillis: 60, concurrency: [64, 128, 256, 512] },
      { scheme: "http", delayMillis: 1, concurrency: [8, 16, 32, 64, 128, 256, 512], peers: ["s5cmd", "curl"] },
      // with fewer concurrent requests, every program takes minutes
      { scheme: "http", delayMillis: 200, concurrency: [64, 128, 256, 512], peers: ["s5cmd"] }
    ]
  },
  { name: "one", kind: "small", count: 1, bytes: 65_000, variants: [{ scheme: "http" }] }
]

const scaled = (upload: Upload, size: Size): Upload => {
  const { bytes, count } = upload
  switch (size) {
    case "usual":
      return upload
    case "tiny":
      // large enough for two parts
      return { ...upload, count: Math.ceil(count / 500), bytes: Math.min(bytes, 10_000_000) }
    case "large":
      return count === 1 ? { ...upload, bytes: bytes * 10 } : { ...upload, count: count * 10 }
  }
}

/** For example, `24 files of 40 MB`. */
const describe = ({ bytes, count }: Upload): string => {
  const size = bytes < 1e6 ? `${bytes / 1e3} KB` : bytes < 1e9 ? `${bytes / 1e6} MB` : `${bytes / 1e9} GB`
  return `${count.toLocaleString("en")} ${count === 1 ? "file" : "files"} of ${size}`
}

const clientsOf = (
  { kind }: Upload,
  { concurrency = [], peers: named }: Variant,
  { other, peers, size }: Bench
): ReadonlyArray<Client.Client> => [
  ...Client.builds(other),
  ...(size === "tiny" ? concurrency.slice(0, 1) : concurrency).map((most) =>
    Client.ours(`ibsr-export --concurrency ${most}`, ["--concurrency", String(most)])
  ),
  ...peers.filter(({ program }) => named?.includes(program) ?? true).flatMap((peer) => peer[kind])
]

const run = async (usual: Upload, bench: Bench): Promise<ReadonlyArray<SummaryRow>> => {
  const upload = scaled(usual, bench.size)
  const { rounds, store } = bench
  const folder = join(bench.root, upload.name)
  const load = Load.make(join(folder, "input"), upload.count, upload.bytes)
  execFileSync("sync")
  const rows: Array<SummaryRow> = []
  for (const variant of upload.variants) {
    const { delayMillis = 0, scheme } = variant
    await store.delay(delayMillis)
    const results = await Comparison.compare(store, clientsOf(upload, variant, bench), { folder, load, scheme, rounds })
    const delay = delayMillis === 0 ? "" : `, ${delayMillis} ms per answer`
    const work = `${upload.name}: ${describe(upload)}, ${scheme}${delay}`
    console.log(`\n### ${work}\n\n${report(results)}`)
    rows.push(summarize(work, results))
  }
  await store.delay(0)
  rmSync(folder, { recursive: true })
  return rows
}

export const workloads: ReadonlyArray<Workload> = uploads.map((upload) => ({
  name: upload.name,
  run: (bench) => run(upload, bench)
}))
