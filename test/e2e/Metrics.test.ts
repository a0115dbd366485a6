import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { closedPort, report, run, type RunOptions, s3, start, summary, until } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const target = "ibsr/host/snapshots"

/** A host whose runs share a ledger and a metrics file. */
const host = (files: Readonly<Record<string, string>> = { "a.jsonl": "1\n", "b.jsonl": "22\n" }) => {
  const file = join(emptyDirectory(), "ibsr.prom")
  const input = tree(files)
  const env = { IBSR_EXPORT_STATE_DIR: emptyDirectory(), IBSR_EXPORT_METRICS_FILE: file }
  return {
    file,
    input,
    env,
    args: (endpoint: string, ...rest: ReadonlyArray<string>) => s3(input, endpoint, "--max-retries=0", ...rest),
    upload: (endpoint: string, rest: ReadonlyArray<string> = [], options: RunOptions = {}) =>
      run(s3(input, endpoint, "--max-retries=0", ...rest), { ...options, env: { ...env, ...options.env } }),
    values: () => {
      const lines = readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line.startsWith("ibsr_export_"))
      const all = lines.map((line) => {
        const [, name, labels, value] = /^ibsr_export_(\w+)\{target="[^"]*",?(.*)\} (\S+)$/.exec(line) ?? []
        return [labels === "" ? name : `${name} ${labels}`, Number(value)]
      })
      return Object.fromEntries(all) as Readonly<Record<string, number>>
    }
  }
}

describe("--metrics-file", () => {
  it("contains the figures and the time of a successful run", async () => {
    const store = await startStore()
    const { file, upload, values } = host()
    const before = Date.now() / 1000
    const result = await upload(store.endpoint, [], { commandPrefix: ["sh", "-c", `umask 077; exec "$0" "$@"`] })
    expect(result.code).toBe(0)
    const { last_run_timestamp_seconds: at, last_success_timestamp_seconds: success, ...others } = values()
    expect(at).toBeGreaterThan(before)
    expect(at).toBeLessThan(Date.now() / 1000 + 0.001)
    expect(success).toBe(at)
    expect(others).toMatchObject({
      last_run_exit_code: 0,
      [`last_run_files outcome="uploaded"`]: 2,
      last_run_uploaded_bytes: 5,
      waiting_files: 0,
      stored_files: 2,
      stored_bytes: 5,
      lost_files_total: 0
    })
    // the store's clock has whole seconds
    expect(Math.abs(others["clock_offset_seconds"]!)).toBeLessThan(5)
    // the files of a test were changed an hour before
    expect(Math.abs(at! - others["newest_file_timestamp_seconds"]! - 3600)).toBeLessThan(60)
    expect(others).not.toHaveProperty("oldest_waiting_timestamp_seconds")
    expect(readFileSync(file, "utf8")).toContain(`{target="${store.endpoint}/snapshots/${target}",version="`)
    expect(statSync(file).mode & 0o777).toBe(0o644)
  })

  it("keeps the time of the last success after a failed run, and contains the age of pending files", async () => {
    const store = await startStore()
    const { input, upload, values } = host()
    await upload(store.endpoint)
    const succeeded = values()
    writeFileSync(join(input, "c.jsonl"), "333\n")
    store.fault = () => ({ kind: "answer", status: 403, code: "AccessDenied" })
    const startedAt = Date.now() / 1000
    expect((await upload(store.endpoint)).code).toBe(22)
    const failed = values()
    expect(failed).toMatchObject({
      last_run_exit_code: 22,
      [`last_run_files outcome="failed"`]: 1,
      waiting_files: 1,
      last_success_timestamp_seconds: succeeded["last_success_timestamp_seconds"]
    })
    expect(failed["last_run_timestamp_seconds"]).toBeGreaterThan(startedAt)
    expect(failed["oldest_waiting_timestamp_seconds"]).toBeGreaterThan(startedAt)
  })

  it.each([
    [20, [], { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }],
    [51, ["--state-dir=/dev/null/state"], {}],
    [52, ["--input=/nonexistent"], {}],
    [61, ["--profile=nobody"], {}]
  ] as const)("is written by a run that fails before its first request: exit %i", async (code, flags, env) => {
    const store = await startStore()
    const { env: hostEnv, input, values } = host()
    const args = ["s3", "--bucket=snapshots", "--endpoint", store.endpoint, ...flags]
    const result = await run(args, { env: { ...hostEnv, IBSR_EXPORT_INPUT: input, ...env } })
    expect(result.code).toBe(code)
    expect(values()).toMatchObject({ last_run_exit_code: code, last_success_timestamp_seconds: 0 })
  })

  it("is written by a run that finds the ledger locked, and by one that is stopped", async () => {
    const store = await startStore({ latencyMs: 30_000 })
    const { args, env, upload, values } = host()
    const { child, finished } = start(args(store.endpoint, "--grace=0s"), { env })
    await until(() => store.inFlight > 0)
    expect((await upload(store.endpoint)).code).toBe(50)
    expect(values()).toMatchObject({ last_run_exit_code: 50, waiting_files: 2 })
    child.kill("SIGTERM")
    expect((await finished).code).toBe(143)
    expect(values()).toMatchObject({ last_run_exit_code: 143, [`last_run_files outcome="interrupted"`]: 2 })
  })

  it("counts the lost files of this run and of all runs", async () => {
    const { input, upload, values } = host({ "a.jsonl": "1\n" })
    const unreachable = `http://127.0.0.1:${await closedPort()}`
    expect((await upload(unreachable)).code).toBe(30)
    rmSync(join(input, "a.jsonl"))
    expect((await upload(unreachable)).code).toBe(41)
    expect(values()).toMatchObject({ last_run_lost_files: 1, lost_files_total: 1, waiting_files: 0 })
    expect((await upload(unreachable)).code).toBe(0)
    expect(values()).toMatchObject({ last_run_lost_files: 0, lost_files_total: 1 })
  })

  it("is not written with --dry-run or after an invalid flag", async () => {
    const store = await startStore()
    const { file, upload } = host()
    expect((await upload(store.endpoint, ["--dry-run"])).code).toBe(0)
    expect((await upload(store.endpoint, ["--timeout=x"])).code).toBe(60)
    expect(existsSync(file)).toBe(false)
  })

  it("causes only a warning, even with --quiet, when it cannot be written", async () => {
    const store = await startStore()
    const { upload } = host()
    const flags = ["--quiet", "--metrics-file=/nonexistent/a.prom"]
    const text = await upload(store.endpoint, flags)
    expect(text.code).toBe(0)
    expect(text.stdout).toContain("warning: the metrics could not be written to /nonexistent/a.prom: ENOENT")
    expect(summary(text)).toContain("uploaded 2")
    const json = report(await upload(store.endpoint, [...flags, "--output=json"]))
    expect(json).toMatchObject({ result: { exitCode: 0 }, metrics: { path: "/nonexistent/a.prom" } })
    expect(json.metrics?.error).toContain("ENOENT")
  })
})
