/** The program's output in a real journald. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Host, hostAvailable } from "./Host.ts"
import { entriesOf, type JournalEntry } from "./Journal.ts"

const priorities = (journal: ReadonlyArray<JournalEntry>) => journal.map(({ priority }) => priority)
const withTimestamp = (journal: ReadonlyArray<JournalEntry>) =>
  journal.filter(({ message }) => /^\[?\d|timestamp=/.test(message))

describe.skipIf(!hostAvailable)("in the journal of a real journald", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
  })
  afterAll(() => host.close())

  it("a successful run is one notice with its summary and run ID", async () => {
    await host.prepare()
    const { journal } = await host.upload()
    const entries = entriesOf("ibsr-export", journal)
    expect(entries).toMatchObject([{ priority: 5, message: expect.stringMatching(/^summary result=ok exit=0 /) }])
    const [{ invocation, message } = { invocation: "", message: "" }] = entries
    expect(invocation).toMatch(/^[0-9a-f]{32}$/)
    expect(message).toContain(`run=${invocation}`)
    const { stdout } = await host.container.exec(
      "ibsr-export",
      "status",
      "--state-dir=/var/lib/ibsr-export",
      "--output=json"
    )
    expect(JSON.parse(stdout)).toMatchObject({ targets: [{ lastRun: { id: invocation, exitCode: 0 } }] })
  })

  it("files and retries have debug priority with --verbose", async () => {
    const store = await host.prepare()
    host.configure({ IBSR_EXPORT_VERBOSE: "true", IBSR_EXPORT_MAX_RETRIES: "3" })
    store.fault = () => (store.requests.length === 1 ? { kind: "answer", status: 503, code: "SlowDown" } : undefined)
    const entries = entriesOf("ibsr-export", (await host.upload()).journal)
    expect(entries.length).toBeGreaterThan(2)
    expect(priorities(entries)).toEqual([...entries.slice(1).map(() => 7), 5])
    expect(withTimestamp(entries)).toEqual([])
  })

  it("a failed run ends with errors: a hint, the summary, and the cause with its remedy", async () => {
    const store = await host.prepare()
    host.writeSnapshot("snapshot_2026112215.jsonl", "{}\n")
    store.fault = ({ key }) =>
      key?.endsWith("15.jsonl") === true ? { kind: "answer", status: 403, code: "AccessDenied" } : undefined
    const entries = entriesOf("ibsr-export", (await host.upload()).journal)
    const errors = entries.filter(({ priority }) => priority === 3)
    expect(errors.at(-1)).toBe(entries.at(-1))
    expect(entries.at(-2)?.message).toMatch(/^summary cause=".*" hint=".*" result=access-denied exit=22 .* failed=1 /)
    expect(entries.at(-1)?.message).toMatch(/^exit 22 access-denied: /)
    expect(errors.some(({ message }) => message.includes("hint: "))).toBe(true)
    expect(priorities(entries).filter((priority) => priority !== 3)).toContain(4)
    expect(withTimestamp(entries)).toEqual([])
  })

  it.each([
    ["a wrong secret", { AWS_SECRET_ACCESS_KEY: "another" }, /SignatureDoesNotMatch/, /Check the secret access key/],
    ["half a key pair", { AWS_SECRET_ACCESS_KEY: undefined }, /AWS_SECRET_ACCESS_KEY is not/, /Set AWS_SECRET/],
    ["a missing input", { IBSR_EXPORT_INPUT: "/nonexistent" }, /\/nonexistent/, /Set --input/]
  ])(
    "the ten lines of systemctl status name cause and remedy if no restart follows: %s",
    async (_, lines, cause, remedy) => {
      await host.prepare()
      host.configure(lines)
      await host.upload()
      const { stdout } = await host.container.exec("systemctl", "status", "--no-pager", "--full", "ibsr-upload.service")
      expect(stdout).toMatch(cause)
      expect(stdout).toMatch(remedy)
    }
  )

  it("an invalid configuration is an error on each line", async () => {
    await host.prepare()
    host.configure({ IBSR_EXPORT_TIMEOUT: "soon" })
    const entries = entriesOf("ibsr-export", (await host.upload()).journal)
    expect(entries.length).toBeGreaterThan(0)
    expect(new Set(priorities(entries))).toEqual(new Set([3]))
    expect(entries[0]?.message).toContain("IBSR_EXPORT_TIMEOUT")
  })
})
