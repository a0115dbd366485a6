/** Runs the simulation as `npm run simulate` does. `IBSR_TEST_WEEKS` sets how many weeks it simulates. */
import { spawnSync } from "node:child_process"
import { describe, expect, it } from "vitest"
import { type Fault, faults } from "../../scripts/simulate/Scenario.ts"

const weeks = Number(process.env["IBSR_TEST_WEEKS"] ?? 40)
const seed = Number(process.env["IBSR_TEST_SEED"] ?? 20_261_127)

const simulate = (...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, ["scripts/simulate.ts", ...args], { encoding: "utf8" })

describe("simulated weeks", () => {
  it(`break no promise of the program (${weeks} weeks, seed ${seed})`, { timeout: 600_000 }, () => {
    // a clock that was set forward once hides losses until it has caught up
    const faultsHandled = faults.filter((fault) => fault !== "clock").join()
    const { status, stderr, stdout } = simulate(`--weeks=${weeks}`, `--seed=${seed}`, `--faults=${faultsHandled}`)
    expect(status, stdout + stderr).toBe(0)
    console.log(stdout.trim())
  })

  it("give the same figures for the same seed", () => {
    const figures = () => simulate("--weeks=2", "--seed=7", "--hours=30").stdout.replace(/\d+ ms/, "")
    expect(figures()).toMatch(/^2 weeks, .* 0 violations\n$/)
    expect(figures()).toBe(figures())
  })
})

describe("a week that once broke a promise", () => {
  const found: ReadonlyArray<readonly [what: string, seed: number, hours: number, faults: ReadonlyArray<Fault>]> = []
  it.each(found)("breaks none: %s", (_, ...[weekSeed, hours, kinds]) => {
    const { status, stdout } = simulate(
      "--weeks=1",
      `--seed=${weekSeed}`,
      `--hours=${hours}`,
      `--faults=${kinds.join()}`
    )
    expect(status, stdout).toBe(0)
  })
})
