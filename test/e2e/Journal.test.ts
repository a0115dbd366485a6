import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { run, s3, secretsIn } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

/** A file for each stream, of which `$JOURNAL_STREAM` names one, as journald's socket would be named. */
const told = async (args: ReadonlyArray<string>, journal: "one for both" | "stderr" | "neither", preload?: string) => {
  const at = (name: string) => join(emptyDirectory(), name)
  const [stdout, other, elsewhere] = [at("stdout"), at("stderr"), at("elsewhere")]
  const stderr = journal === "one for both" ? stdout : other
  for (const path of [stdout, stderr, elsewhere]) writeFileSync(path, "")
  const { dev, ino } = statSync(journal === "neither" ? elsewhere : stderr, { bigint: true })
  const env = { OUT: stdout, ERR: stderr, JOURNAL_STREAM: `${dev}:${ino}`, INVOCATION_ID: "0f1e2d3c" }
  const through = ["sh", "-c", `exec "$0" "$@" >>"$OUT" 2>>"$ERR"`]
  const { code } = await run(args, { env, commandPrefix: through, ...(preload === undefined ? {} : { preload }) })
  const lines = (path: string) => {
    const text = readFileSync(path, "utf8")
    expect(secretsIn(text, {})).toEqual([])
    return text.split("\n").slice(0, -1)
  }
  return { code, stdout: lines(stdout), stderr: lines(stderr) }
}

const priorities = (lines: ReadonlyArray<string>) => lines.map((line) => /^<(\d)>/.exec(line)?.[1])
const upload = (endpoint: string, ...rest: ReadonlyArray<string>) =>
  s3(tree({ "a.jsonl": "1\n", "b.jsonl": "22\n" }), endpoint, "--concurrency=1", ...rest)

describe("in the journal", () => {
  it("every line has a priority, and the last one is the summary, in fields", async () => {
    const store = await startStore()
    const { code, stdout } = await told(upload(store.endpoint, "--verbose"), "one for both")
    expect(code).toBe(0)
    expect(priorities(stdout)).toEqual([...stdout.slice(1).map(() => "7"), "5"])
    expect(stdout.length).toBeGreaterThan(1)
    expect(stdout.at(-1)).toMatch(
      /^<5>summary result=ok exit=0 selected=2 uploaded=2 resumed=0 unchanged=0 .* bytes=5 object_bytes=5 resumed_bytes=0 seconds=[\d.]+ run=0f1e2d3c$/
    )
    expect(stdout.join("\n")).not.toContain("timestamp=")
    expect(stdout.join("\n")).not.toContain("uploaded 2")
  })

  it("a failed run tells failures as errors, and warns of each as it happens", async () => {
    const store = await startStore()
    store.fault = ({ key }) =>
      key?.endsWith("a.jsonl") === true ? { kind: "answer", status: 403, code: "AccessDenied" } : undefined
    const { code, stdout } = await told(upload(store.endpoint), "one for both")
    expect(code).toBe(22)
    expect(priorities(stdout)).toEqual(["4", "3", "3", "3", "3"])
    expect(stdout.at(-1)).toMatch(/^<3>summary result=access-denied exit=22 selected=2 uploaded=1 /)
  })

  it("a message of several lines has its priority on each, also where there is no run", async () => {
    const { code, stderr } = await told(["s3", "--bucket=b", "--wizard", "--tag"], "one for both")
    expect(code).toBe(60)
    expect(stderr.length).toBeGreaterThan(2)
    expect(new Set(priorities(stderr))).toEqual(new Set(["3"]))
  })

  it("a crash is an error on each line of its stack trace", async () => {
    const crash = `data:text/javascript,${encodeURIComponent('setTimeout(() => { throw new Error("a bug somewhere") })')}`
    const store = await startStore({ latencyMs: 2000 })
    const { code, stderr } = await told(upload(store.endpoint), "one for both", crash)
    expect(code).toBe(70)
    expect(stderr.length).toBeGreaterThan(1)
    expect(new Set(priorities(stderr))).toEqual(new Set(["3"]))
  })

  it("only the stream that is the journal gets priorities", async () => {
    const store = await startStore()
    const { stderr, stdout } = await told(upload(store.endpoint, "--output=json"), "stderr")
    expect(JSON.parse(stdout.join(""))).toMatchObject({ run: { id: "0f1e2d3c" } })
    expect(stderr).toEqual([expect.stringMatching(/^<5>summary result=ok exit=0 /)])
  })

  it("a JSON report is one line of it, and the summary still the last", async () => {
    const store = await startStore()
    const { stdout } = await told(upload(store.endpoint, "--output=json"), "one for both")
    expect(priorities(stdout)).toEqual(["6", "5"])
    expect(JSON.parse(stdout[0]!.slice(3))).toMatchObject({ schemaVersion: 1 })
  })

  it("--quiet says nothing of a good run", async () => {
    const store = await startStore()
    expect(await told(upload(store.endpoint, "--quiet"), "one for both")).toMatchObject({ code: 0, stdout: [] })
  })
})

describe("where $JOURNAL_STREAM names something else", () => {
  it("nothing has a priority, the log has time stamps, and the summary is prose", async () => {
    const store = await startStore()
    const { stderr, stdout } = await told(upload(store.endpoint, "--verbose"), "neither")
    expect(stderr.length).toBeGreaterThan(0)
    for (const line of stderr) expect(line).toMatch(/^timestamp=/)
    expect(stdout).toEqual([expect.stringMatching(/^uploaded 2 \(5 B\), skipped 0, failed 0 in /)])
  })
})
