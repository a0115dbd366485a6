import { execFileSync, spawnSync } from "node:child_process"
import process from "node:process"
import { describe, expect, it } from "vitest"

const node = (...argv: ReadonlyArray<string>) => spawnSync(process.execPath, argv, { encoding: "utf8" })
const bench = (...argv: ReadonlyArray<string>) => node("scripts/bench.ts", ...argv)

/** Whether it can run here: the same headers that the store needs. */
const possible = (() => {
  try {
    execFileSync("cc", ["-E", "-"], { input: "#include <openssl/ssl.h>\n", stdio: ["pipe", "ignore", "ignore"] })
    execFileSync("python3", ["--version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
})()

describe("npm run bench", () => {
  it.runIf(possible)("measures every workload, and ends with a row for each", { timeout: 240_000 }, () => {
    const { status, stderr, stdout } = bench("--size", "tiny", "--rounds", "1", "--peers", "")
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
    const table = stdout.slice(stdout.indexOf("\n## "))
    for (const name of ["W1", "W2", "W3", "W4", "W5", "W6", "W7", "one"]) expect(table).toContain(`\n| ${name}: `)
    expect(stdout).toContain("\n### starting")
  })

  it.each(["W0", "--peers nobody", "--size huge", "--rounds 0"])("does not guess what '%s' means", (line) => {
    expect(bench(...line.split(" "))).toMatchObject({ status: 2, stdout: expect.stringContaining("workloads: W1") })
  })

  it("says what there is to choose", () => {
    expect(bench("--help")).toMatchObject({ status: 0, stdout: expect.stringContaining("workloads: W1") })
  })
})

describe("scripts/bench/profile.ts", () => {
  it.runIf(possible)("tells whose code takes the time", () => {
    const { status, stderr, stdout } = node("scripts/bench/profile.ts", "--count", "3", "--", "--concurrency", "1")
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
    expect(stdout).toMatch(/^\| effect +\| \d+\.\d\d +\| \d+\.\d % +\|/m)
  })
})
