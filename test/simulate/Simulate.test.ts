/** Runs the simulation as `npm run simulate` does. `IBSR_TEST_WEEKS` sets how many weeks it simulates. */
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import type { Fault } from "../../scripts/simulate/Scenario.ts"

const weeks = Number(process.env["IBSR_TEST_WEEKS"] ?? 10)
const seed = Number(process.env["IBSR_TEST_SEED"] ?? 20_261_127)

/** Runs the simulation and returns its output. Rejects if a promise was broken. */
const simulate = async (...args: ReadonlyArray<string>) =>
  (await promisify(execFile)(process.execPath, ["scripts/simulate.ts", ...args])).stdout

describe("simulated weeks", () => {
  it(`keep every promise of the program (${weeks} weeks, seed ${seed})`, { timeout: 600_000 }, async () => {
    console.log((await simulate(`--weeks=${weeks}`, `--seed=${seed}`)).trim())
  })

  it("give the same figures for the same seed", async () => {
    const figures = async () => (await simulate("--weeks=2", "--seed=7", "--hours=30")).replace(/\d+ ms/, "")
    const first = await figures()
    expect(first).toMatch(/^2 weeks, .* 0 violations\n$/)
    expect(await figures()).toBe(first)
  })

  it.each<readonly [brokenOnce: string, seed: number, hours: number, faults: ReadonlyArray<Fault>]>([
    ["a clock that was ahead made the run report no loss", 104, 72, ["clock"]],
    ["a clock that was ahead during an outage made the run report no loss", 111, 72, ["outages", "clock"]]
  ])("keep every promise in a week in which an earlier version failed: %s", async (_, ...[weekSeed, hours, kinds]) => {
    await simulate("--weeks=1", `--seed=${weekSeed}`, `--hours=${hours}`, `--faults=${kinds.join()}`)
  })
})
