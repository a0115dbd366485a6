// What starting costs: the answer to --version beside Node that does nothing, --help and the upload of one file beside
// the AWS CLI doing the same. Run it by hand on a quiet machine. The AWS CLI is `aws` on PATH, or what $AWS_CLI names:
// give the program itself, not a shim that looks for it.
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { StrictS3, writer } from "../../test/fakes/StrictS3.ts"
import * as Product from "../build/Product.ts"
import * as Cost from "./Cost.ts"

const rounds = 11
const aws = process.env["AWS_CLI"] ?? "aws"
const root = mkdtempSync(join(tmpdir(), "ibsr-export-bench-"))
const store = await StrictS3.start({ buckets: ["snapshots"] })
try {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: writer.accessKeyId,
    AWS_SECRET_ACCESS_KEY: writer.secretAccessKey,
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_PAGER: "cat"
  })
  const program = Product.program()
  // a file that was just written is read through larger pages of the system's cache, and seems to take more memory
  for (const file of program) {
    execFileSync("sync", [file])
    execFileSync("dd", [`if=${file}`, "iflag=nocache", "count=0"], { stdio: "ignore" })
  }
  const input = join(root, "input")
  const file = join(input, "snapshot_2026010100.jsonl")
  const empty = join(root, "empty.cjs")
  mkdirSync(input)
  writeFileSync(file, `${"x".repeat(65_535)}\n`)
  writeFileSync(empty, "")
  const { endpoint } = store
  const flags = ["--input", input, "--bucket", "snapshots", "--endpoint", endpoint, "--state-dir", join(root, "state")]
  const commands = {
    "node, an empty script": [process.execPath, empty],
    "ibsr-export --version": [...program, "--version"],
    "ibsr-export s3 --help": [...program, "s3", "--help"],
    "aws s3 cp help": [aws, "s3", "cp", "help"],
    "aws --version": [aws, "--version"],
    "ibsr-export s3, one file": [...program, "s3", ...flags, "--force"],
    "aws s3 cp, one file": [aws, "s3", "cp", file, "s3://snapshots/aws/a.jsonl", "--endpoint-url", endpoint]
  }
  const costs = await Cost.measure(commands, rounds)
  Cost.heading("starting", rounds)
  for (const [name, cost] of Object.entries(costs)) Cost.print(name, cost)
  const ratio = (one: keyof typeof commands, other: keyof typeof commands) =>
    console.log(`CPU of ${one} over ${other}: ${(costs[one].cpu / costs[other].cpu).toFixed(2)}`)
  console.log()
  ratio("ibsr-export --version", "node, an empty script")
  ratio("ibsr-export s3 --help", "aws s3 cp help")
  ratio("ibsr-export s3 --help", "aws --version")
  ratio("ibsr-export s3, one file", "aws s3 cp, one file")
} finally {
  await store.stop()
  rmSync(root, { recursive: true })
}
