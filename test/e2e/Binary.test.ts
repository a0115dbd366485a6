/** The released binary is one file that neither the host nor its environment changes. */
import { execFileSync } from "node:child_process"
import { copyFileSync, readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { describe, expect, it } from "vitest"
import packageJson from "../../package.json" with { type: "json" }
import { startThrough, strip } from "../../scripts/build/elf.ts"
import * as Product from "../../scripts/build/Product.ts"
import { makeAuthority } from "../fixtures/Certificates.ts"
import { emptyDirectory, manyFiles, tree } from "../fixtures/Tree.ts"
import { run, s3, start, until } from "./BuiltProgram.ts"
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
    // other flags do not change the output
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

  it("is not affected by variables that are meant for Node and its libraries", async () => {
    const store = await startStore()
    const folder = emptyDirectory()
    const env = {
      NODE_OPTIONS: "--import=data:text/javascript,process.exit(99)",
      NODE_REPL_EXTERNAL_MODULE: "/nonexistent",
      NODE_V8_COVERAGE: join(folder, "coverage"),
      NODE_COMPILE_CACHE: join(folder, "cache"),
      NODE_REDIRECT_WARNINGS: join(folder, "warnings"),
      NODE_DEBUG: "http,net,tls,fs",
      NODE_PENDING_DEPRECATION: "1",
      NODE_ICU_DATA: "/nonexistent",
      NODE_CHANNEL_FD: "77",
      NODE_USE_ENV_PROXY: "1",
      OPENSSL_CONF: "/nonexistent",
      SSLKEYLOGFILE: join(folder, "keys"),
      SSL_CERT_FILE: "/nonexistent",
      UV_THREADPOOL_SIZE: "0"
    }
    const result = await run([...s3(tree({ "a.jsonl": "{}\n" }), store.endpoint), "--quiet"], { env })
    expect(result).toMatchObject({ code: 0, stdout: "", stderr: "" })
    expect(store.keys()).toHaveLength(1)
    expect(readdirSync(folder)).toEqual([])
  })

  it("verifies certificates even with NODE_TLS_REJECT_UNAUTHORIZED=0", async () => {
    const authority = await makeAuthority()
    const store = await startStore({ tls: await authority.issue("127.0.0.1") })
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: "0" }
    for (const program of [undefined, [process.execPath, resolve(Product.bundle)]]) {
      const result = await run(s3(tree({ "a.jsonl": "{}\n" }), store.endpoint), { env, ...(program && { program }) })
      expect(result.code, result.stdout).toBe(31)
    }
    expect(store.keys()).toEqual([])
  })

  it("opens no debugger's port after SIGUSR1, and continues", async () => {
    const store = await startStore({ latencyMs: 500 })
    const { child, finished } = start(s3(manyFiles(5, 10), store.endpoint, "--concurrency=1"))
    await until(() => store.inFlight > 0)
    child.kill("SIGUSR1")
    const { code, stderr } = await finished
    expect([code, stderr]).toEqual([0, expect.not.stringContaining("Debugger")])
  })

  it.each(["HUP", "INT", "TERM"])(
    "continues after SIG%s if its parent process ignores it, as nohup does",
    async (name) => {
      const store = await startStore({ latencyMs: 500 })
      const commandPrefix = ["sh", "-c", `trap '' ${name}; exec "$@"`, "sh"]
      const { child, finished } = start(s3(manyFiles(5, 10), store.endpoint, "--concurrency=1"), { commandPrefix })
      await until(() => store.inFlight > 0)
      child.kill(`SIG${name}` as NodeJS.Signals)
      child.kill(`SIG${name}` as NodeJS.Signals)
      const { code, stderr } = await finished
      expect([code, stderr]).toEqual([0, expect.stringContaining(`SIG${name} stays ignored`)])
    }
  )

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

describe("startThrough", () => {
  it("refuses a file without room in an executable segment", () => {
    const file = Buffer.alloc(128)
    file.write("7f454c460201", "hex")
    expect(() => startThrough(file, Buffer.alloc(16), () => Buffer.alloc(4))).toThrow("no executable segment has room")
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
