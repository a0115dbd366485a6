/** The released binary is one file that neither the host nor its environment changes. */
import { execFileSync } from "node:child_process"
import { copyFileSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { describe, expect, it } from "vitest"
import packageJson from "../../package.json" with { type: "json" }
import { strip } from "../../scripts/build/elf.ts"
import * as Product from "../../scripts/build/Product.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { run, s3, summary } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const host = Product.host()
const binary = host === undefined ? "" : resolve(Product.binary(host))

describe.skipIf(host === undefined)("the binary", () => {
  it("prints its versions, commit and architecture", async () => {
    const { stdout } = await run(["--version"])
    const node = `${process.versions.node} linux-${process.arch}`
    expect(stdout).toMatch(/^ibsr-export \S+ \(commit [0-9a-f]{12}(\+changes)?, Node \S+ \S+\)\n$/)
    expect(stdout).toContain(`ibsr-export ${packageJson.version} (`)
    expect(stdout).toContain(`Node ${node})`)
    // another flag does not change the output
    expect((await run(["--verbose", "--version"])).stdout).toBe(stdout)
  })

  it("runs without any other file, under any name and in any directory", async () => {
    const store = await startStore()
    const copy = join(emptyDirectory(), "renamed")
    copyFileSync(binary, copy)
    const args = s3(tree({ "a.jsonl": "{}\n" }), store.endpoint)
    const result = await run([...args, "--quiet"], { commandPrefix: ["env", "--chdir=/"], program: [copy] })
    expect(result).toMatchObject({ code: 0, stdout: "", stderr: "" })
    expect(store.keys()).toHaveLength(1)
  })

  it("ignores NODE_OPTIONS", async () => {
    const store = await startStore()
    const env = { NODE_OPTIONS: "--import=data:text/javascript,process.exit(99)" }
    const result = await run(s3(tree({ "a.jsonl": "{}\n" }), store.endpoint), { env })
    expect(result.code, result.stderr).toBe(0)
    expect(summary(result)).toMatch(/^uploaded 1 /)
  })

  it("prints function names and lines of the bundle in the stack trace of a defect", async () => {
    const bug = `const { stringify } = JSON
      JSON.stringify = (value) => {
        if (value?.schemaVersion) throw new Error("a bug somewhere")
        return stringify(value)
      }`
    const preload = `data:text/javascript,${encodeURIComponent(bug)}`
    const store = await startStore()
    const result = await run(s3(tree({ "a.jsonl": "{}\n" }), store.endpoint, "--output=json"), { preload })
    expect(result.code).toBe(70)
    expect(result.stderr).toMatch(/at .*json .*ibsr-export\.cjs:\d+:\d+/)
  })

  it("has a checksum and a bill of materials", () => {
    const checksum =
      readFileSync("dist/checksums.txt", "utf8")
        .split("\n")
        .find((line) => line.endsWith(`-${host}`)) ?? ""
    expect(String(execFileSync("sha256sum", ["--check"], { cwd: "dist", input: checksum }))).toBe(
      `ibsr-export-${host}: OK\n`
    )
    const bill = JSON.parse(readFileSync(`${binary}.cdx.json`, "utf8")) as {
      readonly components: ReadonlyArray<{ readonly name: string; readonly version: string }>
    }
    const version = (name: string) => bill.components.find((component) => component.name === name)?.version
    expect(version("node")).toBe(process.versions.node)
    expect(version("effect")).toBe(packageJson.dependencies.effect)
    expect(version("@aws-sdk/client-s3")).toBe(packageJson.dependencies["@aws-sdk/client-s3"])
    expect(version("vitest")).toBeUndefined()
  })
})

describe("strip", () => {
  it.skipIf(host === undefined)("shortens Node's executable and changes only its section fields", () => {
    const before = readFileSync(process.execPath)
    const after = strip(before)
    expect(after.length).toBeLessThan(before.length)
    // the fields in the header that locate the section table have 14 bytes
    const differing = after.reduce((count, byte, offset) => (byte === before[offset] ? count : count + 1), 0)
    expect(differing).toBeLessThanOrEqual(14)
  })

  it.each([
    ["not an ELF file", Buffer.alloc(64)],
    ["32-bit", Buffer.concat([Buffer.from("7f454c460101", "hex"), Buffer.alloc(64)])],
    ["big-endian", Buffer.concat([Buffer.from("7f454c460202", "hex"), Buffer.alloc(64)])]
  ])("rejects a file that is %s", (_, file) => {
    expect(() => strip(file)).toThrow("not a 64-bit little-endian ELF file")
  })
})
