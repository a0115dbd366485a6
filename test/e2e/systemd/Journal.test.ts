/** What journald makes of what the program says. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Host, possible } from "./Host.ts"
import { by, type Entry } from "./Journal.ts"

const priorities = (told: ReadonlyArray<Entry>) => told.map(({ priority }) => priority)
const stamped = (told: ReadonlyArray<Entry>) => told.filter(({ message }) => /^\[?\d|timestamp=/.test(message))

describe.skipIf(!possible)("in the journal of a real journald", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
  })
  afterAll(() => host.close())

  it("a good run is one line, a notice of what it did and which run it was", async () => {
    await host.begin()
    const { told } = await host.upload()
    const own = by("ibsr-export", told)
    expect(own).toMatchObject([{ priority: 5, message: expect.stringMatching(/^summary result=ok exit=0 /) }])
    const [{ invocation, message } = { invocation: "", message: "" }] = own
    expect(invocation).toMatch(/^[0-9a-f]{32}$/)
    expect(message).toContain(`run=${invocation}`)
    const { stdout } = await host.box.exec("ibsr-export", "status", "--state-dir=/var/lib/ibsr-export", "--output=json")
    expect(JSON.parse(stdout)).toMatchObject({ targets: [{ lastRun: { id: invocation, exitCode: 0 } }] })
  })

  it("every file and every retry is for those who look closely", async () => {
    const store = await host.begin()
    host.configure({ IBSR_EXPORT_VERBOSE: "true", IBSR_EXPORT_MAX_RETRIES: "3" })
    store.fault = () => (store.requests.length === 1 ? { kind: "answer", status: 503, code: "SlowDown" } : undefined)
    const own = by("ibsr-export", (await host.upload()).told)
    expect(own.length).toBeGreaterThan(2)
    expect(priorities(own)).toEqual([...own.slice(1).map(() => 7), 5])
    expect(stamped(own)).toEqual([])
  })

  it("a failed run ends with an error that says all, and has a hint before it", async () => {
    const store = await host.begin()
    host.snapshot("snapshot_2026112215.jsonl", "{}\n")
    store.fault = ({ key }) =>
      key?.endsWith("15.jsonl") === true ? { kind: "answer", status: 403, code: "AccessDenied" } : undefined
    const own = by("ibsr-export", (await host.upload()).told)
    const errors = own.filter(({ priority }) => priority === 3)
    expect(errors.at(-1)).toBe(own.at(-1))
    expect(own.at(-1)?.message).toMatch(/^summary result=access-denied exit=22 selected=2 uploaded=1 .* failed=1 /)
    expect(errors.some(({ message }) => message.includes("hint: "))).toBe(true)
    expect(priorities(own).filter((priority) => priority !== 3)).toContain(4)
    expect(stamped(own)).toEqual([])
  })

  it("a mistake in the configuration is an error on each line", async () => {
    await host.begin()
    host.configure({ IBSR_EXPORT_TIMEOUT: "soon" })
    const own = by("ibsr-export", (await host.upload()).told)
    expect(own.length).toBeGreaterThan(0)
    expect(new Set(priorities(own))).toEqual(new Set([3]))
    expect(own[0]?.message).toContain("IBSR_EXPORT_TIMEOUT")
  })
})
