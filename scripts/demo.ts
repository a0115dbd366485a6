// Runs the built program against an embedded S3 server: it uploads a collector's snapshot tree. After the collector has
// appended a line, the next run uploads only that file again.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import * as Size from "../src/domain/Size.ts"
import * as Product from "./build/Product.ts"
import { StrictS3, writer } from "./strict-s3/StrictS3.ts"

const hours = 24

/** The line of one minute, with the packet counts of 40 addresses. */
const line = (ts: number) => {
  const sources = Array.from({ length: 40 }, (_, at) => ({ ip: `192.0.2.${at}`, syn: (ts + at * 7) % 997 }))
  return `${JSON.stringify({ ts, sources })}\n`
}

/** The content of an hour's snapshot file: one line per minute, as the collector writes it. */
const snapshot = (startOfHour: Date) =>
  Array.from({ length: 60 }, (_, minute) => line(Math.floor(startOfHour.getTime() / 1000) + minute * 60)).join("")

/** For example `snapshot_2026112214.jsonl`, where `14` is the hour in UTC. */
const fileName = (startOfHour: Date) =>
  `snapshot_${startOfHour.toISOString().slice(0, 13).replaceAll(/[-T]/g, "")}.jsonl`

const input = mkdtempSync(join(tmpdir(), "ibsr-export-demo-"))
const stateDir = mkdtempSync(join(tmpdir(), "ibsr-export-demo-state-"))
const store = await StrictS3.start({ buckets: ["customer-bucket"] })
try {
  const thisHour = Math.floor(Date.now() / 3_600_000) * 3_600_000
  for (let ago = hours - 1; ago >= 0; ago--) {
    const hour = new Date(thisHour - ago * 3_600_000)
    writeFileSync(join(input, fileName(hour)), snapshot(hour))
  }
  writeFileSync(join(input, "status.jsonl"), '{"state":"running"}\n')

  const args = ["s3", "--input", input, "--bucket", "customer-bucket", "--prefix", "ibsr/demo-host/snapshots"]
  console.log(`${hours} hours of snapshots in ${input}`)
  console.log(`An S3 server at ${store.endpoint}, and a user who may only write objects\n`)
  const upload = async () => {
    const before = store.requests.length
    const where = ["--endpoint", store.endpoint, "--state-dir", stateDir]
    console.log(`$ ibsr-export ${[...args, ...where].join(" ")}`)
    const [command = "", ...rest] = [...Product.program(), ...args, ...where]
    const program = spawn(command, rest, {
      stdio: "inherit",
      env: { ...process.env, AWS_ACCESS_KEY_ID: writer.accessKeyId, AWS_SECRET_ACCESS_KEY: writer.secretAccessKey }
    })
    const [code] = (await once(program, "close")) as [number | null]
    const operations = Map.groupBy(store.requests.slice(before), ({ operation }) => operation)
    console.log(
      `exit code ${code}; requests: ${[...operations].map(([name, { length }]) => `${length} ${name}`).join(", ")}\n`
    )
    return code ?? 70
  }
  const first = await upload()

  console.log("The collector appends a line:")
  appendFileSync(
    join(input, fileName(new Date(thisHour))),
    `${JSON.stringify({ ts: Math.floor(Date.now() / 1000) })}\n`
  )
  const second = await upload()

  console.log("In the bucket:")
  for (const key of store.keys("customer-bucket")) {
    const { body, contentType } = store.object(key, "customer-bucket")!
    console.log(`  ${Size.format(body.length).padStart(9)}  ${contentType}  ${key}`)
  }
  process.exitCode = first || second
} finally {
  await store.stop()
  for (const directory of [input, stateDir]) rmSync(directory, { recursive: true })
}
