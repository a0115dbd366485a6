import { execFileSync, spawnSync } from "node:child_process"
import process from "node:process"
import { describe, expect, it } from "vitest"

const node = (...argv: ReadonlyArray<string>) => spawnSync(process.execPath, argv, { encoding: "utf8" })
const bench = (...argv: ReadonlyArray<string>) => node("scripts/bench.ts", ...argv)

/** Whether the benchmarks can run here: the null store needs OpenSSL's headers, and the meter needs python3. */
const canRun = (() => {
  try {
    execFileSync("cc", ["-E", "-"], { input: "#include <openssl/ssl.h>\n", stdio: ["pipe", "ignore", "ignore"] })
    execFileSync("python3", ["--version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
})()

describe("npm run bench", () => {
  it.runIf(canRun)("measures every workload, and prints a summary row for each", { timeout: 240_000 }, () => {
    const { status, stderr, stdout } = bench("--size", "tiny", "--rounds", "1", "--peers", "")
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
    const table = stdout.slice(stdout.indexOf("\n## "))
    for (const name of ["W1", "W2", "W3", "W4", "W5", "W6", "W7", "one"]) expect(table).toContain(`\n| ${name}: `)
    expect(stdout).toContain("\n### start")
  })

  it.each(["W0", "--peers nobody", "--size huge", "--rounds 0"])("rejects '%s' and prints the options", (line) => {
    expect(bench(...line.split(" "))).toMatchObject({ status: 2, stdout: expect.stringContaining("workloads: W1") })
  })

  it("prints the options with --help", () => {
    expect(bench("--help")).toMatchObject({ status: 0, stdout: expect.stringContaining("workloads: W1") })
  })
})

describe("scripts/bench/profile.ts", () => {
  it.runIf(canRun)("attributes the time to areas of code", () => {
    const { status, stderr, stdout } = node("scripts/bench/profile.ts", "--count", "3", "--", "--concurrency", "1")
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
    expect(stdout).toMatch(/^\| effect +\| \d+\.\d\d +\| \d+\.\d % +\|/m)
  })
})
