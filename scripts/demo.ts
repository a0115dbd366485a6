// Runs the built program against an embedded S3 server: it uploads the run directories of a collector that was restarted
// twice. After the collector has appended a line, the next run uploads only that file again.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import * as Size from "../src/domain/Size.ts"
import * as Product from "./build/Product.ts"
import { Collector } from "./simulate/Collector.ts"
import { seeded } from "./simulate/Random.ts"
import { StrictS3, writer } from "./strict-s3/StrictS3.ts"

const hours = 23
const minuteMillis = 60_000
const minutes = hours * 60
/** The minutes at which the collector is restarted. Each is in the middle of an hour. */
const restarts = new Set([0.3, 0.7].map((part) => Math.floor(minutes * part)))

const input = mkdtempSync(join(tmpdir(), "ibsr-export-demo-"))
const stateDir = mkdtempSync(join(tmpdir(), "ibsr-export-demo-state-"))
const store = await StrictS3.start({ buckets: ["customer-bucket"] })
try {
  const start = Date.now() - minutes * minuteMillis
  const collector = new Collector(input, seeded(1), start, { truncates: false, setsTimes: true })
  for (let minute = 0; minute < minutes; minute++) {
    if (restarts.has(minute)) collector.restart()
    collector.tick(minuteMillis)
  }

  const target = ["--bucket", "customer-bucket", "--prefix", "ibsr/demo-host/snapshots"]
  // otherwise, a demo that starts just after the end of an hour waits until the snapshots of that hour are final
  const args = ["s3", "--input", input, ...target, "--final-after", "0s"]
  console.log(`${hours} hours of snapshots in ${input}, from a collector that was started three times`)
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
  collector.finish()
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
