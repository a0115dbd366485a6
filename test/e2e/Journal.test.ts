import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { run, s3, secretsIn } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

/** Runs the program with a file for each stream; `$JOURNAL_STREAM` names one of them, as it names journald's socket. */
const runWithJournal = async (
  args: ReadonlyArray<string>,
  journal: "both streams" | "stderr" | "neither",
  preload?: string
) => {
  const newPath = (name: string) => join(emptyDirectory(), name)
  const [stdout, otherStderr, unrelated] = [newPath("stdout"), newPath("stderr"), newPath("unrelated")]
  const stderr = journal === "both streams" ? stdout : otherStderr
  for (const path of [stdout, stderr, unrelated]) writeFileSync(path, "")
  const { dev, ino } = statSync(journal === "neither" ? unrelated : stderr, { bigint: true })
  const env = { OUT: stdout, ERR: stderr, JOURNAL_STREAM: `${dev}:${ino}`, INVOCATION_ID: "0f1e2d3c" }
  const commandPrefix = ["sh", "-c", `exec "$0" "$@" >>"$OUT" 2>>"$ERR"`]
  const { code } = await run(args, { env, commandPrefix, ...(preload === undefined ? {} : { preload }) })
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
  it("every line has a priority, and the last line is the summary in fields", async () => {
    const store = await startStore()
    const { code, stdout } = await runWithJournal(upload(store.endpoint, "--verbose"), "both streams")
    expect(code).toBe(0)
    expect(priorities(stdout)).toEqual([...stdout.slice(1).map(() => "7"), "5"])
    expect(stdout.length).toBeGreaterThan(1)
    expect(stdout.at(-1)).toMatch(
      /^<5>summary result=ok exit=0 selected=2 uploaded=2 bytes=5 object_bytes=5 complete=true seconds=[\d.]+ target="s3:\S+ at \S+" run=0f1e2d3c$/
    )
    expect(stdout.join("\n")).not.toContain("timestamp=")
    expect(stdout.join("\n")).not.toContain("uploaded 2 ")
  })

  it("a failed run logs a warning when a failure happens, and ends with errors: the failures, the summary, the cause", async () => {
    const store = await startStore()
    store.fault = ({ key }) =>
      key?.endsWith("a.jsonl") === true ? { kind: "answer", status: 403, code: "AccessDenied" } : undefined
    const { code, stdout } = await runWithJournal(upload(store.endpoint), "both streams")
    expect(code).toBe(22)
    expect(priorities(stdout)).toEqual(["4", "3", "3", "3", "3", "3"])
    expect(stdout.at(-2)).toMatch(
      /^<3>summary cause="a.jsonl: PutObject: .*" hint="allow s3:PutObject .*" result=access-denied exit=22 selected=2 uploaded=1 /
    )
    expect(stdout.at(-1)).toMatch(/^<3>exit 22 access-denied: a.jsonl: PutObject: .* Allow s3:PutObject /)
  })

  it("a message of several lines has its priority on each line, even before a run starts", async () => {
    const { code, stderr } = await runWithJournal(["s3", "--bucket=b", "--wizard", "--tag"], "both streams")
    expect(code).toBe(60)
    expect(stderr.length).toBeGreaterThan(2)
    expect(new Set(priorities(stderr))).toEqual(new Set(["3"]))
  })

  it("a crash has error priority on each line of its stack trace", async () => {
    const crash = `data:text/javascript,${encodeURIComponent('setTimeout(() => { throw new Error("a bug somewhere") })')}`
    const store = await startStore({ latencyMs: 2000 })
    const { code, stderr } = await runWithJournal(upload(store.endpoint), "both streams", crash)
    expect(code).toBe(70)
    expect(stderr.length).toBeGreaterThan(1)
    expect(new Set(priorities(stderr))).toEqual(new Set(["3"]))
  })

  it("only the stream that is connected to the journal has priorities", async () => {
    const store = await startStore()
    const { stderr, stdout } = await runWithJournal(upload(store.endpoint, "--output=json"), "stderr")
    expect(JSON.parse(stdout.join(""))).toMatchObject({ run: { id: "0f1e2d3c" } })
    expect(stderr).toEqual([expect.stringMatching(/^<5>summary result=ok exit=0 /)])
  })

  it("a JSON report is one line, and the summary is still the last line", async () => {
    const store = await startStore()
    const { stdout } = await runWithJournal(upload(store.endpoint, "--output=json"), "both streams")
    expect(priorities(stdout)).toEqual(["6", "5"])
    expect(JSON.parse(stdout[0]!.slice(3))).toMatchObject({ schemaVersion: 1 })
  })

  it("--quiet prints nothing about a successful run", async () => {
    const store = await startStore()
    expect(await runWithJournal(upload(store.endpoint, "--quiet"), "both streams")).toMatchObject({
      code: 0,
      stdout: []
    })
  })
})

describe("with a $JOURNAL_STREAM that names another file", () => {
  it("no line has a priority, log and summary have timestamps, and the summary is prose", async () => {
    const store = await startStore()
    const { stderr, stdout } = await runWithJournal(upload(store.endpoint, "--verbose"), "neither")
    expect(stderr.length).toBeGreaterThan(0)
    for (const line of stderr) expect(line).toMatch(/^timestamp=/)
    expect(stdout).toEqual([expect.stringMatching(/^20\S+Z uploaded 2 \(5 B\) in /)])
  })
})
