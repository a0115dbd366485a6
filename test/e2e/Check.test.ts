import { Ajv2020 } from "ajv/dist/2020.js"
import { execFileSync } from "node:child_process"
import { chmodSync, existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterEach, describe, expect, it } from "vitest"
import type { Check, State, Step } from "../../src/report/Check.ts"
import { owner, StrictS3, type StrictS3Options, writer, writerNoAbort } from "../../scripts/strict-s3/StrictS3.ts"
import { Proxy } from "../fakes/Proxy.ts"
import { makeAuthority } from "../fixtures/Certificates.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { closedPort, run, type RunOptions } from "./BuiltProgram.ts"
import { answering, plainHttpStore, tlsStore } from "./faults/FakeEndpoints.ts"

const toStop: Array<{ readonly stop: () => Promise<unknown> }> = []
const stopLater = <A extends (typeof toStop)[number]>(server: A) => {
  toStop.push(server)
  return server
}
afterEach(async () => {
  for (const server of toStop.splice(0)) await server.stop()
})

const startStore = async (options?: StrictS3Options) => stopLater(await StrictS3.start(options))

const directory = "ibsr-20261122-141500Z"
const snapshots = () =>
  tree({
    [`${directory}/snapshot_2026112214.jsonl`]: '{"a":1}\n',
    [`${directory}/status.jsonl`]: '{"b":1}\n',
    "notes.txt": "left out\n"
  })

const check = (endpoint: string, flags: ReadonlyArray<string> = [], options: RunOptions = {}) =>
  run(
    [
      "check",
      "--bucket=snapshots",
      "--prefix=ibsr/host",
      `--endpoint=${endpoint}`,
      ...(flags.some((flag) => flag.startsWith("--input=")) ? [] : [`--input=${snapshots()}`]),
      ...flags
    ],
    options
  )

const withJson = async (endpoint: string, flags: ReadonlyArray<string> = [], options: RunOptions = {}) => {
  const result = await check(endpoint, ["--output=json", ...flags], options)
  return { ...result, found: JSON.parse(result.stdout) as Check }
}

const lastLine = (text: string) => text.trimEnd().split("\n").at(-1)

/** An endpoint with a fault, and the flags and variables of a host that uses the endpoint. */
interface Fault {
  readonly endpoint: string
  readonly flags?: ReadonlyArray<string>
  readonly options?: RunOptions
}

const storeWith =
  (options?: StrictS3Options, more: Omit<Fault, "endpoint"> = {}) =>
  async (): Promise<Fault> => ({ endpoint: (await startStore(options)).endpoint, ...more })

const fake = (start: ReturnType<typeof tlsStore>) => async (): Promise<Fault> => {
  const { endpoint, env } = stopLater(await start())
  return { endpoint, options: { env: { AWS_SESSION_TOKEN: "writer-session-token", ...env } } }
}

const behindProxy = (set: (proxy: Proxy) => void) => async (): Promise<Fault> => {
  const proxy = stopLater(await Proxy.start())
  set(proxy)
  return { endpoint: "http://store.test", options: { env: { HTTP_PROXY: proxy.url() } } }
}

const hour = 3_600_000
const isRoot = process.getuid?.() === 0

const withoutReadOverride = [
  "/usr/bin/setpriv",
  "--inh-caps=-dac_override,-dac_read_search",
  "--bounding-set=-dac_override,-dac_read_search"
]

describe("check", () => {
  it("prints a line for each step if an upload would work, and leaves only two objects", async () => {
    const store = await startStore({ identities: [writer, owner] })
    const { endpoint } = store
    const result = await check(endpoint)
    expect(result.code, result.stdout + result.stderr).toBe(0)
    expect(result.stdout.split("\n").map((line) => line.slice(0, 20).trim())).toEqual([
      "ok    configuration",
      "ok    input",
      "ok    selection",
      "ok    ledger",
      "skip  name",
      "ok    connection",
      "skip  TLS",
      "ok    credentials",
      "ok    region",
      "ok    put",
      "ok    clock",
      "ok    checksum",
      "ok    If-None-Match",
      "ok    abort",
      "ok    privilege",
      expect.stringMatching(/schedule$/),
      expect.stringMatching(/^exit 0 ok: an upload/),
      ""
    ])
    expect(result.stdout).toContain("selects 2 files and leaves out 1 file, such as notes.txt")
    expect(result.stdout).toContain("bucket from --bucket")
    expect(result.stdout).toContain("environment: access key")
    expect(store.keys()).toEqual(["ibsr/host/ibsr-export.check", "ibsr/host/ibsr-export.no-overwrite"])
    expect(store.openUploads()).toEqual([])
  })

  it("prints JSON that matches its schema", async () => {
    const { endpoint } = await startStore()
    const { found } = await withJson(endpoint, ["--include=none"])
    const schema = JSON.parse(readFileSync(new URL("../../docs/check.schema.json", import.meta.url), "utf8")) as object
    const validate = new Ajv2020().compile(schema)
    expect(validate(found), JSON.stringify(validate.errors)).toBe(true)
  })

  it("stores no object with --no-canary", async () => {
    const store = await startStore()
    const { endpoint } = store
    const { code, found } = await withJson(endpoint, ["--no-canary"])
    expect([code, found.result.code]).toEqual([0, 0])
    expect(store.keys()).toEqual([])
    expect(store.openUploads()).toEqual([])
  })

  it("leaves the ledger and its lock as they were", async () => {
    const { endpoint } = await startStore()
    const state = emptyDirectory()
    expect((await check(endpoint, ["--state-dir", state])).code).toBe(0)
    expect(existsSync(join(state, "ledger.db"))).toBe(false)
    expect(existsSync(join(state, "ledger.lock"))).toBe(false)
  })

  it.each<
    readonly [fault: string, step: Step, state: State, exit: number, text: RegExp, prepare: () => Promise<Fault>]
  >([
    [
      "the secret is wrong",
      "put",
      "FAIL",
      21,
      /secret access key/,
      storeWith({}, { options: { env: { AWS_SECRET_ACCESS_KEY: "a-wrong-secret-access-key" } } })
    ],
    [
      "the session has expired",
      "put",
      "FAIL",
      21,
      /renew the credentials/,
      storeWith({ identities: [{ ...writer, expired: true }] })
    ],
    [
      "the host's clock is two hours slow",
      "clock",
      "warn",
      0,
      /(1 h 59|2 h 0) min behind.*timedatectl/,
      storeWith({ clock: () => Date.now() + 2 * hour })
    ],
    ["the region is wrong", "put", "FAIL", 23, /--region eu-west-1/, storeWith({ region: "eu-west-1" })],
    ["the bucket does not exist", "put", "FAIL", 23, /bucket/, storeWith({ buckets: ["other"] })],
    [
      "PutObject is denied",
      "put",
      "FAIL",
      22,
      /s3:PutObject/,
      storeWith({ identities: [{ ...writer, permissions: { prefix: "other/", abort: true } }] })
    ],
    [
      "aborting is denied",
      "abort",
      "warn",
      0,
      /s3:AbortMultipartUpload/,
      storeWith(
        { identities: [writerNoAbort] },
        {
          options: {
            env: {
              AWS_ACCESS_KEY_ID: writerNoAbort.accessKeyId,
              AWS_SECRET_ACCESS_KEY: writerNoAbort.secretAccessKey
            }
          }
        }
      )
    ],
    [
      "the host may read, list and delete",
      "privilege",
      "warn",
      0,
      /s3:ListBucket, s3:GetObject, s3:DeleteObject.*policy/,
      storeWith(
        {},
        { options: { env: { AWS_ACCESS_KEY_ID: owner.accessKeyId, AWS_SECRET_ACCESS_KEY: owner.secretAccessKey } } }
      )
    ],
    [
      "the certificate has an unknown issuer",
      "connection",
      "FAIL",
      31,
      /AWS_CA_BUNDLE/,
      fake(tlsStore({ trusted: false }))
    ],
    [
      "the certificate is for another name",
      "connection",
      "FAIL",
      31,
      /s3\.example\.com/,
      fake(tlsStore({ commonName: "s3.example.com" }))
    ],
    ["the certificate has expired", "connection", "FAIL", 31, /expired/, fake(tlsStore({ expired: true }))],
    ["an https endpoint speaks plain HTTP", "connection", "FAIL", 31, /http:\/\//, fake(plainHttpStore)],
    ["an http endpoint speaks TLS", "put", "FAIL", 30, /--endpoint https:/, fake(tlsStore({ scheme: "http" }))],
    ["the proxy refuses the host", "put", "FAIL", 30, /proxy/, behindProxy((proxy) => (proxy.refuse = 403))],
    ["the proxy cannot reach the store", "put", "FAIL", 32, /proxy/, behindProxy((proxy) => (proxy.refuse = 502))],
    [
      "the proxy is down",
      "connection",
      "FAIL",
      30,
      /HTTP_PROXY/,
      async () => ({
        endpoint: "http://store.test",
        options: { env: { HTTP_PROXY: `http://127.0.0.1:${await closedPort()}` } }
      })
    ],
    ["the name does not exist", "name", "FAIL", 30, /DNS/, async () => ({ endpoint: "http://nx.invalid" })],
    [
      "nothing listens",
      "connection",
      "FAIL",
      30,
      /--endpoint/,
      async () => ({ endpoint: `http://127.0.0.1:${await closedPort()}` })
    ],
    [
      "a captive portal answers",
      "put",
      "FAIL",
      30,
      /page/,
      fake(answering("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 19\r\n\r\n<html>Login</html>\n"))
    ],
    ["the input is missing", "input", "FAIL", 52, /--input/, storeWith({}, { flags: ["--input=/nonexistent"] })],
    [
      "a pattern selects nothing",
      "selection",
      "warn",
      0,
      /'\*\.pcap' matches no file/,
      storeWith({}, { flags: ["--include=*.pcap"] })
    ],
    [
      "the state directory cannot be created",
      "ledger",
      "FAIL",
      51,
      /--state-dir/,
      storeWith({}, { flags: ["--state-dir=/proc/ibsr"] })
    ],
    [
      "no source has credentials",
      "credentials",
      "FAIL",
      20,
      /environment: /,
      storeWith({}, { options: { env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined } } })
    ]
  ])("names the step and the remedy if %s", async (_, step, state, exit, text, prepare) => {
    const { endpoint, flags, options } = await prepare()
    const { code, found } = await withJson(endpoint, flags, options)
    const shown = found.steps.find((each) => each.step === step)
    expect(shown, JSON.stringify(found.steps)).toMatchObject({ state })
    expect(`${shown?.detail} ${shown?.hint}`).toMatch(text)
    expect(code).toBe(exit)
    expect(found.result.code).toBe(exit)
  })

  it("prints the cause and the remedy of the first failure in its last line", async () => {
    const { endpoint } = await startStore({ buckets: ["other"] })
    const result = await check(endpoint)
    expect(result.code).toBe(23)
    expect(lastLine(result.stdout)).toMatch(/^exit 23 bucket: PutObject: .*NoSuchBucket\)\. .*bucket.*\.$/)
  })

  it.skipIf(isRoot && !existsSync("/usr/bin/setpriv"))("fails if a selected file is not readable", async () => {
    const { endpoint } = await startStore()
    const input = tree({ "a.jsonl": "{}\n" })
    chmodSync(join(input, "a.jsonl"), 0)
    const { code, found } = await withJson(
      endpoint,
      [`--input=${input}`],
      isRoot ? { commandPrefix: withoutReadOverride } : {}
    )
    expect(code).toBe(41)
    expect(found.steps.find(({ step }) => step === "input")?.detail).toContain("EACCES")
  })

  it.skipIf(!isRoot)("fails if the disk of the ledger is full", async ({ skip }) => {
    const { endpoint } = await startStore()
    const state = emptyDirectory()
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=8k", "tmpfs", state], { stdio: "ignore" })
    } catch {
      skip("no tmpfs can be mounted here")
    }
    try {
      const { code, found } = await withJson(endpoint, [`--state-dir=${state}`])
      expect(code).toBe(51)
      expect(found.steps.find(({ step }) => step === "ledger")?.detail).toContain("ENOSPC")
    } finally {
      execFileSync("umount", [state])
    }
  })

  it("warns if another run is using the ledger", async () => {
    const { endpoint } = await startStore()
    const state = emptyDirectory()
    const flags = [`--state-dir=${state}`]
    const upload = ["--bucket=snapshots", "--prefix=ibsr/host", `--endpoint=${endpoint}`, `--input=${snapshots()}`]
    expect((await run(["s3", ...upload, ...flags])).code).toBe(0)
    const lock = new DatabaseSync(join(state, "ledger.lock"))
    lock.exec("BEGIN IMMEDIATE")
    const { code, found } = await withJson(endpoint, flags)
    lock.close()
    expect(code).toBe(0)
    expect(found.steps.find(({ step }) => step === "ledger")).toMatchObject({ state: "warn" })
    expect((await withJson(endpoint, flags)).found.steps.find(({ step }) => step === "ledger")).toMatchObject({
      state: "ok"
    })
  })

  it("shows the certificate, and trusts the authority in AWS_CA_BUNDLE", async () => {
    const authority = await makeAuthority()
    const { endpoint } = await startStore({ tls: await authority.issue("127.0.0.1") })
    const { code, found } = await withJson(endpoint, [], { env: { AWS_CA_BUNDLE: authority.file } })
    expect(code, JSON.stringify(found.steps)).toBe(0)
    expect(found.steps.find(({ step }) => step === "TLS")?.detail).toMatch(/^certificate for .* by .*, until 20/)
  })
})
