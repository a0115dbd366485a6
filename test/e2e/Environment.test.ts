/**
 * Unusual environments. If a run does not need what is missing, it must continue; otherwise it must end with a failure
 * class and a hint.
 */
import { chmodSync, existsSync, readFileSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import process from "node:process"
import { describe, expect, it } from "vitest"
import * as Product from "../../scripts/build/Product.ts"
import { makeAuthority } from "../fixtures/Certificates.ts"
import { tree } from "../fixtures/Tree.ts"
import { run, s3 } from "./BuiltProgram.ts"
import { tinyFiles } from "./CredentialSources.ts"
import { startStore } from "./Store.ts"

const isRoot = process.getuid?.() === 0

describe("a user without a home directory", () => {
  it.skipIf(!isRoot)("uploads with the credentials and settings in the environment", async () => {
    const store = await startStore()
    const [input, state] = [tinyFiles(1), tree({})]
    chmodSync(input, 0o755)
    // only root refuses a directory to which everybody may write
    chmodSync(state, 0o777)
    const { code, stdout } = await run(s3(input, store.endpoint, "--region=us-east-1", "--state-dir", state), {
      commandPrefix: ["setpriv", "--reuid=54321", "--clear-groups"],
      env: { HOME: undefined }
    })
    expect(code, stdout).toBe(0)
  })
})

describe("a current directory that was removed", () => {
  const inRemovedDirectory = ["sh", "-c", 'cd "$(mktemp -d)" && rmdir "$PWD" && exec "$@"', "sh"]

  it("does not affect a run with absolute paths", async () => {
    const store = await startStore()
    const { code, stdout } = await run(s3(tinyFiles(1), store.endpoint), { commandPrefix: inRemovedDirectory })
    expect(code, stdout).toBe(0)
  })

  it.each([
    [52, ["s3", "--input=in", "--bucket=b"]],
    [61, ["s3", "--input=/in", "--bucket=b", "--state-dir=state"]],
    [61, ["s3", "--input=/in", "--bucket=b", "--metrics-file=m.prom"]],
    [61, ["status", "--state-dir=state"]]
  ])("makes the run exit with %i for the relative path in %j", async (expected, args) => {
    const { code, stderr } = await run(args, { commandPrefix: inRemovedDirectory })
    expect([code, stderr]).toEqual([expected, expect.stringContaining("the current directory does not exist any more")])
    expect(stderr).toContain("absolute path")
  })
})

describe("a system without /proc", () => {
  const withoutProc = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]
  const [binary = ""] = Product.program().map((word) => resolve(word))

  it.skipIf(!isRoot || Product.host() === undefined).each([
    ["path", binary],
    ["name", basename(binary)]
  ])("does not affect a program that is started by its %s", async (_, command) => {
    const store = await startStore()
    const { code, stderr, stdout } = await run(s3(tinyFiles(1), store.endpoint), {
      commandPrefix: withoutProc,
      program: [command],
      env: { PATH: `${process.env["PATH"]}:${dirname(binary)}` }
    })
    expect(code, stdout + stderr).toBe(0)
  })
})

describe("a locale or a time zone that does not exist", () => {
  it.each([
    { LANG: "xx_YY.UTF-8" },
    { LC_ALL: "\u00e4" },
    { TZ: "Nowhere/Atlantis" },
    { TZ: ":/etc/passwd" },
    { LANGUAGE: "?" }
  ])("does not affect a run: %j", async (env) => {
    const store = await startStore()
    const result = await run(s3(tinyFiles(1), store.endpoint, "--quiet"), { env })
    expect(result).toMatchObject({ code: 0, stdout: "", stderr: "" })
  })
})

describe("the system's CA certificates", () => {
  const bundle = "/etc/ssl/certs/ca-certificates.crt"

  it.skipIf(!isRoot || !existsSync(bundle))("are trusted in addition to those of Node", async () => {
    const authority = await makeAuthority()
    const store = await startStore({ tls: await authority.issue("127.0.0.1") })
    const all = join(tree({ "all.pem": `${readFileSync(bundle, "utf8")}\n${authority.cert}` }), "all.pem")
    const withSystem = ["unshare", "--mount", "sh", "-c", `mount --bind ${all} ${bundle} && exec "$@"`, "sh"]
    const upload = (options: Parameters<typeof run>[1]) => run(s3(tinyFiles(20), store.endpoint), options)
    expect(await upload({ commandPrefix: withSystem })).toMatchObject({ code: 0 })
    expect(await upload({})).toMatchObject({ code: 31 })
    const other = (await makeAuthority()).file
    const replaced = await upload({ commandPrefix: withSystem, env: { AWS_CA_BUNDLE: other } })
    expect(replaced.code, "AWS_CA_BUNDLE replaces them").toBe(31)
  })
})

describe("NODE_EXTRA_CA_CERTS", () => {
  const env = { NODE_EXTRA_CA_CERTS: "/nonexistent/ca.pem" }

  it("must name a file if the store is reached over TLS", async () => {
    const store = await startStore({ tls: await (await makeAuthority()).issue("127.0.0.1") })
    const { code, stdout } = await run(s3(tinyFiles(1), store.endpoint), { env })
    expect([code, stdout]).toEqual([
      61,
      expect.stringContaining("/nonexistent/ca.pem, which NODE_EXTRA_CA_CERTS names")
    ])
  })

  it("has no effect without TLS", async () => {
    const store = await startStore()
    const result = await run(s3(tinyFiles(1), store.endpoint, "--quiet"), { env })
    expect(result).toMatchObject({ code: 0, stdout: "", stderr: "" })
  })
})
