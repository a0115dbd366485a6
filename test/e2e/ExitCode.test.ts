/** The built program exits with each code of the table under its real condition. */
import { chmodSync, existsSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { generate } from "selfsigned"
import { describe, expect, it } from "vitest"
import * as ExitCode from "../../src/domain/ExitCode.ts"
import { type StrictS3Options, writer } from "../../scripts/strict-s3/StrictS3.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { closedPort, ending, run, type RunOptions, s3, start, summary, until } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const snapshots = () => tree({ "snapshot_2026112214.jsonl": '{"a":1}\n', "snapshot_2026112215.jsonl": '{"a":2}\n' })

const testedCodes = new Set<number>()

/** Runs the program and checks its exit code and its last line. */
const expectExit = async (code: number, args: ReadonlyArray<string>, options?: RunOptions) => {
  const result = await run(args, options)
  expect(result.code, result.stdout + result.stderr).toBe(code)
  testedCodes.add(code)
  const row = ExitCode.table.find((each) => each.code === code)
  if (code === 0) {
    expect(summary(result)).toMatch(
      /^uploaded \d+( \(.+\))?(, \w+ \d+)* in [\d.]+ s: s3:\/\/snapshots\/ibsr\/host\/snapshots at http/
    )
    expect(ending(result)).toBeUndefined()
  } else {
    // the line ends with the cause and the remedy
    expect(ending(result)).toMatch(new RegExp(`^exit ${code} ${row?.name}: \\S.*[.!?] \\S.*[.!?]$`))
    if (result.stdout !== "") expect(result.stdout.trimEnd().split("\n").at(-1)).toBe(ending(result))
  }
  return result
}

const withStore = async (options?: StrictS3Options) => {
  const store = await startStore(options)
  return { store, args: (...rest: ReadonlyArray<string>) => s3(snapshots(), store.endpoint, ...rest) }
}

describe("the exit code", () => {
  it("is 0 when everything is stored", async () => {
    const { args, store } = await withStore()
    await expectExit(0, args())
    expect(store.keys()).toEqual([
      "ibsr/host/snapshots/snapshot_2026112214.jsonl",
      "ibsr/host/snapshots/snapshot_2026112215.jsonl"
    ])
  })

  it("is 0 when there is nothing to do", async () => {
    const { store } = await withStore()
    await expectExit(0, s3(emptyDirectory(), store.endpoint))
    expect(store.requests).toEqual([])
  })

  it("is 10 when the store rejects a request", async () => {
    const { args } = await withStore()
    const result = await expectExit(10, args("--storage-class", "MARBLE"))
    expect(result.stdout).toContain("InvalidStorageClass")
  })

  it("is 11 when an object exists and --no-overwrite is given", async () => {
    const { args, store } = await withStore()
    await expectExit(0, args())
    await expectExit(11, args("--no-overwrite"))
    expect(store.versions("ibsr/host/snapshots/snapshot_2026112214.jsonl")).toHaveLength(1)
  })

  it("is 12 when files fail for different reasons", async () => {
    const { store } = await withStore()
    const input = tree({ "a.jsonl": "a", "b\uFFFD.jsonl": "b" })
    await expectExit(0, s3(input, store.endpoint, "--include", "a.jsonl"))
    await expectExit(12, s3(input, store.endpoint, "--no-overwrite"))
  })

  it("is 20 when no source has credentials", async () => {
    const { args, store } = await withStore()
    const env = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }
    await expectExit(20, args(), { env })
    expect(store.requests).toEqual([])
  })

  it("is 21 when the secret is wrong, and the run ends after one failure", async () => {
    const { args } = await withStore()
    const result = await expectExit(21, args("--concurrency", "1"), { env: { AWS_SECRET_ACCESS_KEY: "wrong" } })
    expect(summary(result)).toContain("failed 1 of 2, not tried 1")
    expect(result.stdout + result.stderr).not.toContain("wrong")
  })

  it("is 21 when the session has expired", async () => {
    const { args } = await withStore({ identities: [{ ...writer, expired: true }] })
    expect((await expectExit(21, args())).stdout).toContain("renew the credentials")
  })

  it("is 22 when PutObject is denied", async () => {
    const { args } = await withStore({ identities: [{ ...writer, permissions: { prefix: "other/", abort: true } }] })
    expect((await expectExit(22, args())).stdout).toContain("allow s3:PutObject")
  })

  it("is 23 when the bucket does not exist", async () => {
    await expectExit(23, (await withStore({ buckets: ["other"] })).args())
  })

  it("is 23 when the region is wrong, and the hint names the right one", async () => {
    const { args } = await withStore({ region: "eu-west-1" })
    expect((await expectExit(23, args())).stdout).toContain("--region eu-west-1")
  })

  it("is 30 when nothing listens at the endpoint", async () => {
    await expectExit(30, s3(snapshots(), `http://127.0.0.1:${await closedPort()}`, "--max-retries", "1"))
  })

  it("is 30 when no response arrives in time", async () => {
    const { args, store } = await withStore()
    store.fault = () => ({ kind: "hang" })
    const result = await expectExit(30, args("--timeout", "300ms", "--max-retries", "1"))
    expect(result.stdout).toContain("raise --timeout")
    expect(store.requests).toHaveLength(4)
  })

  it("is 31 when the certificate is not trusted", async () => {
    const { cert, private: key } = await generate([{ name: "commonName", value: "127.0.0.1" }])
    const { args, store } = await withStore({ tls: { cert, key } })
    await expectExit(31, args())
    expect(store.requests).toEqual([])
  })

  it("is 32 when the store stays overloaded for all retries", async () => {
    const { args, store } = await withStore()
    store.fault = () => ({ kind: "answer", status: 503, code: "SlowDown" })
    await expectExit(32, args("--max-retries", "2"))
    expect(store.requests).toHaveLength(6)
  })

  it("is 33 when the deadline passes, and the run ends", async () => {
    const { args, store } = await withStore()
    store.fault = () => ({ kind: "delay", ms: 20_000 })
    const result = await expectExit(33, args("--deadline", "500ms", "--concurrency", "1"))
    expect(result.durationMs).toBeLessThan(5000)
    expect(summary(result)).toContain("interrupted 1, not tried 1")
  })

  it("is 40 when the store still reports a different checksum after a retry", async () => {
    const { args, store } = await withStore()
    store.fault = () => ({ kind: "wrong-checksum" })
    await expectExit(40, args("--max-retries", "1"))
    expect(store.requests).toHaveLength(4)
  })

  it("is 41 when the name of a file is not a valid key", async () => {
    const { store } = await withStore()
    const input = tree({ "good.jsonl": "a", [`${"d/".repeat(510)}a.jsonl`]: "b" })
    const result = await expectExit(41, s3(input, store.endpoint))
    expect(result.stdout).toContain("1024 is the limit of S3")
    expect(store.keys()).toEqual(["ibsr/host/snapshots/good.jsonl"])
  })

  // drops a capability, because root could otherwise read every file
  const asRoot = process.getuid?.() === 0
  const withoutReadOverride = [
    "/usr/bin/setpriv",
    "--inh-caps=-dac_override,-dac_read_search",
    "--bounding-set=-dac_override,-dac_read_search"
  ]
  it.skipIf(asRoot && !existsSync("/usr/bin/setpriv"))("is 41 when a file is not readable", async () => {
    const { store } = await withStore()
    const input = tree({ "good.jsonl": "a", "secret.jsonl": "b", "closed/c.jsonl": "c" })
    chmodSync(join(input, "secret.jsonl"), 0)
    chmodSync(join(input, "closed"), 0)
    const result = await expectExit(41, s3(input, store.endpoint), asRoot ? { commandPrefix: withoutReadOverride } : {})
    chmodSync(join(input, "closed"), 0o755)
    expect(result.stdout).toContain("EACCES")
    expect(summary(result)).toContain("failed 2 of 3, uploaded 1 (1 B)")
  })

  it("is 42 when no file is selected and --fail-if-empty is given", async () => {
    const { store } = await withStore()
    await expectExit(42, s3(tree({ "a.txt": "a" }), store.endpoint, "--fail-if-empty"))
  })

  it("is 43 when verify finds a hole, and 44 when it finds a torn line", async () => {
    const line = (time: number) => `{"ts_unix_sec":${time},"interval_sec":60}\n`
    const directory = tree({ "snapshot_2026112214.jsonl": line(0) + line(180) })
    await expectExit(43, ["verify", directory, "--without-manifest"])
    await expectExit(44, ["verify", tree({ "snapshot_2026112214.jsonl": line(0) + "{" }), "--without-manifest"])
  })

  it("is 45 when no file has changed for --stale-after", async () => {
    const { store } = await withStore()
    const input = snapshots()
    const stopped = await expectExit(45, s3(input, store.endpoint, "--stale-after=30m"))
    expect(stopped.stdout).toMatch(/no selected file has changed for (1 h|59 min)/)
    expect(store.keys()).not.toEqual([])
    const again = ["--stale-after=30m", "--force"]
    await expectExit(45, s3(input, store.endpoint, ...again))
    await expectExit(0, s3(input, store.endpoint, "--stale-after=2h"))
    await expectExit(45, s3(emptyDirectory(), store.endpoint, "--stale-after=2h"))
  })

  it("is 50 when another run uses the ledger", async () => {
    const { args, store } = await withStore({ latencyMs: 5000 })
    const stateDir = emptyDirectory()
    const { finished } = start(args("--state-dir", stateDir))
    await until(() => store.inFlight > 0)
    const second = await expectExit(50, args("--state-dir", stateDir))
    expect(second.durationMs).toBeLessThan(4000)
    expect(second.stdout).toContain("--lock-wait")
    expect((await finished).code).toBe(0)
    expect(store.requests).toHaveLength(2)
  })

  it("is 51 when the ledger cannot be created, before any request", async () => {
    const { args, store } = await withStore()
    const { pid } = process
    // in /proc, the system reports a missing directory although its parent exists
    for (const stateDir of [join(tree({ file: "" }), "file"), `/proc/${pid}/state`, "/proc/none/state"]) {
      const result = await expectExit(51, args("--state-dir", stateDir))
      expect(result.stdout).toContain("--state-dir")
    }
    expect(store.requests).toEqual([])
  })

  it("is 52 when the input is missing or is a file", async () => {
    const { store } = await withStore()
    const input = tree({ "a.jsonl": "a" })
    await expectExit(52, s3(join(input, "missing"), store.endpoint))
    await expectExit(52, s3(join(input, "a.jsonl"), store.endpoint))
  })

  it.skipIf(asRoot && !existsSync("/usr/bin/setpriv"))("is 52 when the input may not be read", async () => {
    const { store } = await withStore()
    const input = tree({ "a.jsonl": "a" })
    chmodSync(input, 0)
    const result = await expectExit(52, s3(input, store.endpoint), asRoot ? { commandPrefix: withoutReadOverride } : {})
    chmodSync(input, 0o755)
    expect(result.stdout).toContain("the right to read this directory")
  })

  it("is 60 for a missing flag, and stderr names the misspelt variable", async () => {
    const result = await expectExit(60, ["s3", "--input=/nonexistent"], { env: { IBSR_EXPORT_BUKET: "b" } })
    expect(result.stderr).toContain("--bucket is required (or IBSR_EXPORT_BUCKET)")
    expect(result.stderr).toContain("IBSR_EXPORT_BUKET is not a variable of ibsr-export")
  })

  it("is 60 for an unknown flag, and stderr suggests the closest one", async () => {
    const result = await expectExit(60, ["s3", "--inputt", "x"])
    expect(result.stderr).toContain("unknown flag --inputt; did you mean --input?")
    expect(result.stdout).toBe("")
  })

  it("is 61 when no region is set", async () => {
    const result = await expectExit(61, ["s3", "--input", snapshots(), "--bucket", "b"])
    expect(result.stdout).toContain("give --region")
  })

  it.each([
    ["name--use1-az4--x-s3", "general purpose bucket"],
    ["point--use1-az4--xa-s3", "general purpose bucket"],
    ["arn:aws:s3::123456789012:accesspoint/point.mrap", "one of its buckets"]
  ])("is 61 for a bucket that is not general purpose: %s", async (bucket, advice) => {
    const { store } = await withStore()
    const result = await expectExit(61, [
      "s3",
      "--input",
      snapshots(),
      `--bucket=${bucket}`,
      "--endpoint",
      store.endpoint
    ])
    expect(result.stdout).toContain(advice)
    expect(store.requests).toEqual([])
  })

  it("is 61 when the state directory is in the input", async () => {
    const { store } = await withStore()
    const input = snapshots()
    const link = join(emptyDirectory(), "link")
    symlinkSync(input, link)
    for (const stateDir of [input, join(input, "state"), join(link, "a", "b")]) {
      await expectExit(61, s3(input, store.endpoint, "--state-dir", stateDir))
    }
    expect(store.requests).toEqual([])
  })

  it("is 61 when the profile does not exist", async () => {
    const { args } = await withStore()
    expect((await expectExit(61, args("--profile", "nobody"))).stdout).toContain("'nobody'")
  })

  it("is 70 for an uncaught error, and stderr has its message", async () => {
    const { args, store } = await withStore({ latencyMs: 2000 })
    const crash = `data:text/javascript,${encodeURIComponent('setTimeout(() => { throw new Error("a bug somewhere") }, 300)')}`
    const result = await expectExit(70, args(), { preload: crash })
    expect(result.stderr).toContain("a bug somewhere")
    expect(store.keys()).toEqual([])
  })

  it.each([
    [129, "SIGHUP"],
    [130, "SIGINT"],
    [143, "SIGTERM"]
  ] as const)("is %i after %s", async (code, signal) => {
    const { args, store } = await withStore({ latencyMs: 500 })
    const { child, finished } = start(args("--concurrency", "1"))
    await until(() => store.inFlight === 1)
    child.kill(signal)
    const result = await finished
    expect(result.code).toBe(code)
    testedCodes.add(code)
    expect(summary(result)).toMatch(/^uploaded 1 .*not tried 1 in /)
  })

  it("has a test for every row of the table", () => {
    expect([...testedCodes].toSorted((a, b) => a - b)).toEqual(ExitCode.table.map(({ code }) => code))
  })
})
