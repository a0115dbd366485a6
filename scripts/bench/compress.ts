// Measures what --compress costs and saves: a day of a collector's snapshots, sent uncompressed, with gzip, and with zstd,
// in rounds. Run it by hand on a quiet machine with python3.
import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { promisify } from "node:util"
import type { Report } from "../../src/report/Report.ts"
import * as Product from "../build/Product.ts"
import { StrictS3, writer } from "../strict-s3/StrictS3.ts"
import * as Cost from "./Cost.ts"
import { random } from "./Load.ts"
import { costs as table } from "./Table.ts"

const rounds = 5
const hours = 24
/** Addresses per minute. With this number, a snapshot file has 5 MB. */
const sources = 500

const next = random(1)
const below = (limit: number) => Math.floor(next() * limit)
/** Most addresses repeat. */
const addresses = Array.from({ length: 4 * sources }, () => `${below(224)}.${below(256)}.${below(256)}.${below(256)}`)
/** A number from 1 to `limit`; small numbers are frequent. */
const count = (limit: number) => Math.floor(limit ** next())

const line = (minute: number) =>
  JSON.stringify({
    version: 5,
    ts_unix_sec: 1_790_000_000 + minute * 60,
    buckets: Array.from({ length: sources }, () => ({
      key_type: "src_ip",
      src_ip: addresses[below(addresses.length)],
      dst_port: [80, 443, 8080, 8443][below(4)],
      syn: count(5000),
      ack: count(5000),
      handshake_ack: count(300),
      rst: count(50),
      packets: count(90_000),
      bytes: count(9_000_000)
    }))
  })

const snapshot = (hour: number) => Array.from({ length: 60 }, (_, minute) => `${line(hour * 60 + minute)}\n`).join("")

const root = mkdtempSync(join(tmpdir(), "ibsr-export-bench-"))
const store = await StrictS3.start({ buckets: ["snapshots"], keepBodies: false })
try {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: writer.accessKeyId,
    AWS_SECRET_ACCESS_KEY: writer.secretAccessKey
  })
  const day = join(root, "day")
  const large = join(root, "large")
  mkdirSync(day)
  mkdirSync(large)
  const snapshots = Array.from({ length: hours }, (_, hour) => snapshot(hour))
  for (const [hour, text] of snapshots.entries()) {
    writeFileSync(join(day, `snapshot_20260101${String(hour).padStart(2, "0")}.jsonl`), text)
  }
  writeFileSync(join(large, "snapshot_2026010100.jsonl"), snapshots.join(""))

  const program = Product.program()
  const command = (input: string, format: string) => [
    ...program,
    "s3",
    `--input=${input}`,
    "--bucket=snapshots",
    `--endpoint=${store.endpoint}`,
    "--force",
    `--prefix=${format}`,
    `--state-dir=${join(root, `state-${format}`)}`,
    `--compress=${format}`
  ]
  const formats = ["none", "gzip", "zstd"] as const
  for (const [name, input] of [
    ["a day", day],
    ["one file", large]
  ] as const) {
    const commands = Object.fromEntries(formats.map((format) => [format, command(input, format)]))
    const costs = await Cost.measureAll(
      Object.fromEntries(formats.map((format) => [format, { argv: commands[format]! }])),
      rounds
    )
    console.log(`### ${name} of snapshots, medians of ${rounds} rounds\n\n${table(costs, "none")}\n`)
    for (const format of formats) {
      const [first = "", ...rest] = [...commands[format]!, "--output=json"]
      const { stdout } = await promisify(execFile)(first, rest)
      const { objectBytes, uploadedBytes } = (JSON.parse(stdout) as Report).totals
      const cpu = costs[format]!.cpu / costs["none"]!.cpu
      console.log(
        `--compress ${format}: ${objectBytes} of ${uploadedBytes} bytes, ${(objectBytes / uploadedBytes).toFixed(3)}; CPU ${cpu.toFixed(2)}`
      )
    }
    console.log()
  }
} finally {
  await store.stop()
  rmSync(root, { recursive: true })
}
