/** What runs of the built program remember in the ledger. */
import { execFileSync } from "node:child_process"
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  lchownSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterEach, describe, expect, it } from "vitest"
import type { Status } from "../../src/report/Status.ts"
import { writer } from "../../scripts/strict-s3/StrictS3.ts"
import { emptyDirectory, snapshotName, tree } from "../fixtures/Tree.ts"
import { report, run, type RunOptions, s3, start, summary, until } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const MiB = 1024 ** 2
const prefix = "ibsr/host/snapshots"

/** A store, and a host whose runs share a ledger. */
const host = async (files: Parameters<typeof tree>[0], options?: Parameters<typeof startStore>[0]) => {
  const store = await startStore(options)
  const input = tree(files)
  const stateDir = emptyDirectory()
  const args = (...more: ReadonlyArray<string>) => s3(input, store.endpoint, "--state-dir", stateDir, ...more)
  /** Runs the program, and returns its requests too: in alphabetical order, because several are in flight at once. */
  const upload = async (more: ReadonlyArray<string> = [], runOptions?: RunOptions) => {
    const before = store.requests.length
    const result = await run(args(...more), runOptions)
    const requests = store.requests
      .slice(before)
      .map(({ key, operation }) => `${operation} ${key?.slice(prefix.length + 1)}`)
      .toSorted()
    return { ...result, requests }
  }
  const status = async () =>
    JSON.parse((await run(["status", "--state-dir", stateDir, "--output=json"])).stdout) as Status
  return { store, input, stateDir, args, upload, status, at: (name: string) => join(input, name) }
}

const now = () => new Date()
const anHourAgo = () => new Date(Date.now() - 3_600_000)
const makeFinal = (path: string) => utimesSync(path, anHourAgo(), anHourAgo())

describe("a second run", () => {
  it("sends nothing and loads no credentials when nothing has changed", async () => {
    const { upload } = await host({ "a.jsonl": "1\n", "b/c.jsonl": "2\n", "big.jsonl": Buffer.alloc(9 * MiB, "\n") })
    expect((await upload()).requests).toHaveLength(2 + 4)
    const env = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }
    const second = await upload([], { env })
    expect(second).toMatchObject({ code: 0, requests: [] })
    expect(summary(second)).toMatch(/^unchanged 3 in /)
  })

  it("sends only one request when one file has grown", async () => {
    const { at, store, upload } = await host({ "a.jsonl": "1\n", "b.jsonl": "2\n", "c.jsonl": "3\n" })
    await upload()
    appendFileSync(at("b.jsonl"), "22\n")
    expect((await upload()).requests).toEqual(["PutObject b.jsonl"])
    expect(store.versions(`${prefix}/b.jsonl`).map(({ body }) => String(body))).toEqual(["2\n", "2\n22\n"])
  })

  it.each([
    ["small", Buffer.from("1\n")],
    ["large", Buffer.alloc(9 * MiB, "1\n")]
  ])("sends nothing when a %s file was only touched or replaced by a copy", async (_, content) => {
    const { at, upload } = await host({ "a.jsonl": content })
    await upload()
    utimesSync(at("a.jsonl"), now(), now())
    expect((await upload()).requests).toEqual([])
    writeFileSync(at("copy"), content)
    renameSync(at("copy"), at("a.jsonl"))
    expect((await upload()).requests).toEqual([])
    expect(summary(await upload())).toContain("unchanged 1")
  })

  it.each([
    ["small", Buffer.from("1\n"), Buffer.from("2\n")],
    ["large", Buffer.alloc(9 * MiB, "1\n"), Buffer.alloc(9 * MiB, "2\n")]
  ])(
    "sends a %s file with new content, although its size and modification time are the same",
    async (_, ...contents) => {
      const { at, store, upload } = await host({ "a.jsonl": contents[0] })
      makeFinal(at("a.jsonl"))
      const { mtime } = statSync(at("a.jsonl"))
      utimesSync(at("a.jsonl"), mtime, mtime)
      await upload()
      writeFileSync(at("a.jsonl"), contents[1])
      utimesSync(at("a.jsonl"), mtime, mtime)
      expect(report(await upload(["--output=json"])).totals).toMatchObject({ uploaded: 1, unchanged: 0 })
      expect(store.versions(`${prefix}/a.g2.jsonl`)[0]?.body.equals(contents[1])).toBe(true)
    }
  )

  it("sends nothing when only a file's mode or its number of links changed", async () => {
    const { at, upload } = await host({ "a.jsonl": "1\n", "b.jsonl": "2\n" })
    await upload()
    chmodSync(at("a.jsonl"), 0o600)
    linkSync(at("b.jsonl"), join(emptyDirectory(), "b.jsonl"))
    expect((await upload()).requests).toEqual([])
    expect(summary(await upload())).toContain("unchanged 2")
  })

  it("sends files whose modification time is before 1970, in the future, or after 2262, and only once", async () => {
    const times = { old: -86_400 * 365 * 30, future: Date.now() / 1000 + 86_400 * 365, beyond: 14_800_000_000 }
    const { at, store, upload } = await host({ "old.jsonl": "1\n", "future.jsonl": "2\n", "beyond.jsonl": "3\n" })
    for (const [name, seconds] of Object.entries(times)) utimesSync(at(`${name}.jsonl`), seconds, seconds)
    const first = await upload(["--final-after=0s", "--final-only"])
    expect(first).toMatchObject({
      code: 0,
      requests: Object.keys(times)
        .sort()
        .map((name) => `PutObject ${name}.jsonl`)
    })
    expect(store.versions(`${prefix}/future.jsonl`)[0]?.metadata["ibsr-state"]).toBe("final")
    expect((await upload(["--final-after=0s", "--final-only"])).requests).toEqual([])
  })

  it("sends a live file once more when it has become final, and marks the object as final", async () => {
    const { at, store, upload } = await host({ "a.jsonl": "1\n" })
    utimesSync(at("a.jsonl"), now(), now())
    await upload()
    expect((await upload()).requests).toEqual([])
    makeFinal(at("a.jsonl"))
    expect((await upload()).requests).toEqual(["PutObject a.jsonl"])
    expect((await upload()).requests).toEqual([])
    expect(store.versions(`${prefix}/a.jsonl`).map(({ metadata }) => metadata["ibsr-state"])).toEqual(["live", "final"])
  })

  it("sends nothing when a file that was stored with a torn line was only touched", async () => {
    const { at, store, upload } = await host({ "a.jsonl": "1\n2" })
    await upload()
    utimesSync(at("a.jsonl"), now(), now())
    expect((await upload()).requests).toEqual([])
    appendFileSync(at("a.jsonl"), "2\n3")
    expect((await upload()).requests).toEqual(["PutObject a.jsonl"])
    expect(store.versions(`${prefix}/a.jsonl`).map(({ body }) => String(body))).toEqual(["1\n2", "1\n22\n"])
  })

  it("sends every file with --force", async () => {
    const { upload } = await host({ "a.jsonl": "1\n", "big.jsonl": Buffer.alloc(9 * MiB, "\n") })
    const first = await upload()
    expect((await upload(["--force"])).requests).toEqual(first.requests)
  })

  it("sends every file again to another bucket or prefix", async () => {
    const { args, store, upload } = await host({ "a.jsonl": "1\n" }, { buckets: ["snapshots", "other"] })
    await upload()
    const otherBucket = args().map((arg) => arg.replace("--bucket=snapshots", "--bucket=other"))
    const otherPrefix = args().map((arg) => arg.replace("--prefix=", "--prefix=other/"))
    for (const target of [otherBucket, otherPrefix, args()]) await run(target)
    expect(store.keys()).toEqual([`${prefix}/a.jsonl`, `other/${prefix}/a.jsonl`])
    expect(store.keys("other")).toEqual([`${prefix}/a.jsonl`])
    expect(store.requests).toHaveLength(3)
  })

  it("sends every file again to the store of another profile", async () => {
    const [one, two] = [await startStore(), await startStore()]
    const profile = (name: string, { endpoint }: typeof one) =>
      `[profile ${name}]\nendpoint_url = ${endpoint}\naws_access_key_id = ${writer.accessKeyId}\naws_secret_access_key = ${writer.secretAccessKey}\n`
    const home = tree({
      ".aws/config": `[default]\nendpoint_url = ${one.endpoint}\n${profile("one", one)}${profile("two", two)}`
    })
    const input = tree({ "a.jsonl": "1\n" })
    const stateDir = emptyDirectory()
    const args = ["s3", `--input=${input}`, "--bucket=snapshots", `--prefix=${prefix}`, `--state-dir=${stateDir}`]
    const upload = (more: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}) =>
      run([...args, ...more], { env: { HOME: home, ...env } })
    for (let round = 0; round < 2; round++) {
      expect((await upload([], { AWS_PROFILE: "one" })).code).toBe(0)
      expect((await upload(["--profile=two"])).code).toBe(0)
      expect([one.requests.length, two.requests.length]).toEqual([1, 1])
    }
    expect(summary(await upload(["--profile=two", `--endpoint=${one.endpoint}`]))).toContain("unchanged 1")
    const status = await run(["status", "--state-dir", stateDir])
    expect(status.stdout.split("\n").filter((line) => line.startsWith("s3:"))).toEqual(
      [one, two].map(({ endpoint }) => `s3://snapshots/${prefix} at ${endpoint}`)
    )
  })

  it("exits 61 with a report when the profile does not determine the store", async () => {
    const { upload } = await host({ "a.jsonl": "1\n" })
    await upload()
    const env = { HOME: tree({ ".aws/config": "[default]\nservices = missing\n" }) }
    const failed = await upload(["--output=json"], { env })
    expect([failed.code, failed.requests]).toEqual([61, []])
    expect(report(failed).result.endedBy?.message).toContain("[services missing]")
  })

  it("plans only new content with --dry-run, and records nothing", async () => {
    const { at, stateDir, upload } = await host({ "a.jsonl": "1\n", "b.jsonl": "2\n" })
    expect((await upload(["--dry-run"])).stdout).toContain("would upload 2 ")
    expect(readdirSync(stateDir)).toEqual([])
    await upload()
    appendFileSync(at("a.jsonl"), "11\n")
    writeFileSync(at("b.jsonl"), "3\n")
    writeFileSync(at("b.g2.jsonl"), "other\n")
    await upload(["--include=b.g2.jsonl"])
    const plan = report(await upload(["--dry-run", "--output=json"])).plan
    expect(plan?.map(({ key }) => key).toSorted()).toEqual([`${prefix}/a.jsonl`, `${prefix}/b.g3.jsonl`])
    expect((await upload()).requests).toEqual(["PutObject a.jsonl", "PutObject b.g3.jsonl"])
  })
})

describe("an object", () => {
  it.each([
    ["the ledger's directory", (backup: string, stateDir: string) => cpSync(backup, stateDir, { recursive: true })],
    [
      "only the ledger's database",
      (backup: string, stateDir: string) => copyFileSync(join(backup, "ledger.db"), join(stateDir, "ledger.db"))
    ]
  ])("is not overwritten after %s was restored from a backup that is older than the object", async (_, restore) => {
    const { at, stateDir, store, upload } = await host({ "known.jsonl": "1\n", "grown.jsonl": "1\n" })
    await upload()
    const backup = join(emptyDirectory(), "backup")
    cpSync(stateDir, backup, { recursive: true })
    const write = async (name: string, content: string) => {
      writeFileSync(at(name), content)
      makeFinal(at(name))
    }
    await write("grown.jsonl", "1\n22\n333\n")
    await write("new.jsonl", "longer\n")
    await upload()
    restore(backup, stateDir)
    await write("grown.jsonl", "1\n44\n")
    await write("new.jsonl", "other\n")
    const third = await upload(["--quiet"])
    expect(third.code).toBe(0)
    expect(third.stdout).toMatch(/warning: the ledger .* was copied or restored/)
    for (const key of store.keys())
      expect(store.versions(key).length, key).toBeLessThan(key.includes("grown.jsonl") ? 3 : 2)
    expect(store.versions(`${prefix}/grown.jsonl`).map(({ body }) => String(body))).toEqual(["1\n", "1\n22\n333\n"])
    expect(store.keys().filter((key) => /\.g\d{15}\.jsonl$/.test(key))).toHaveLength(2)
    appendFileSync(at("new.jsonl"), "more\n")
    makeFinal(at("new.jsonl"))
    await write("newer.jsonl", "1\n")
    const fourth = await upload()
    expect(fourth.stdout).not.toContain("copied or restored")
    expect(fourth.requests).toEqual([expect.stringMatching(/PutObject new\.g\d+\.jsonl/), "PutObject newer.jsonl"])
  })

  it("is not replaced by a file of another input directory, even if the file is not append-only", async () => {
    const { args, input, store } = await host({ "a.pcap": "first" })
    const other = tree({ "a.pcap": "second" })
    expect((await run(args("--include=*.pcap"))).code).toBe(0)
    const second = await run(args("--include=*.pcap", "--quiet").map((arg) => (arg === input ? other : arg)))
    expect(second.stdout).toContain(`warning: the last run with this prefix uploaded ${input}`)
    expect(store.versions(`${prefix}/a.pcap`).map(({ body }) => String(body))).toEqual(["first"])
    expect(store.versions(`${prefix}/a.g2.pcap`).map(({ body }) => String(body))).toEqual(["second"])
  })

  it("is not replaced by another job whose prefix lies in this one", async () => {
    const { args, input, store } = await host({ "b/x.jsonl": "first\n" })
    const other = tree({ "x.jsonl": "second\n" })
    await run(args())
    const inner = args("--quiet").map((arg) => (arg === input ? other : arg.replace(prefix, `${prefix}/b`)))
    expect((await run(inner)).stdout).toContain(`warning: this prefix and ${prefix}, which another job uploads to`)
    expect(store.versions(`${prefix}/b/x.jsonl`).map(({ body }) => String(body))).toEqual(["first\n"])
    expect(store.versions(`${prefix}/b/x.g2.jsonl`).map(({ body }) => String(body))).toEqual(["second\n"])
  })

  it.each([
    ["was truncated by copytruncate", "x\n"],
    ["was truncated, and has grown beyond its old size", "x\nyyyyyyyyyyyyy\n"],
    ["was truncated to its first line", "1\n"],
    ["was emptied", ""]
  ])("is not overwritten when its file %s", async (_, content) => {
    const { at, store, upload } = await host({ "status.jsonl": "1\n22\n" })
    await upload()
    truncateSync(at("status.jsonl"))
    appendFileSync(at("status.jsonl"), content)
    makeFinal(at("status.jsonl"))
    const second = await upload(["--output=json"])
    expect(second.requests).toEqual(["PutObject status.g2.jsonl"])
    expect(report(second).replacedFiles).toEqual([{ file: "status.jsonl", key: `${prefix}/status.g2.jsonl` }])
    expect(store.versions(`${prefix}/status.jsonl`)).toHaveLength(1)
    expect(String(store.object(`${prefix}/status.g2.jsonl`)?.body)).toBe(content)
    appendFileSync(at("status.jsonl"), "more\n")
    expect((await upload()).requests).toEqual(["PutObject status.g2.jsonl"])
    writeFileSync(at("status.jsonl"), "third\n")
    expect((await upload()).requests).toEqual(["PutObject status.g3.jsonl"])
  })

  it("is not overwritten when a large file differs only after its first 4 KiB: the upload is aborted", async () => {
    const { at, store, upload } = await host({ "big.jsonl": Buffer.alloc(20 * MiB, "a\n") })
    await upload()
    const changed = Buffer.alloc(21 * MiB, "a\n")
    changed[15 * MiB] = 0x62
    writeFileSync(at("big.jsonl"), changed)
    makeFinal(at("big.jsonl"))
    const second = await upload()
    expect(second).toMatchObject({ code: 0 })
    expect(second.requests).toContain("AbortMultipartUpload big.jsonl")
    expect(second.requests).not.toContain("CompleteMultipartUpload big.jsonl")
    expect(store.object(`${prefix}/big.g2.jsonl`)?.body.equals(changed)).toBe(true)
    expect(store.versions(`${prefix}/big.jsonl`)).toHaveLength(1)
    expect(store.openUploads()).toEqual([])
  })

  it("is not overwritten when a large file differs in its first 4 KiB, without a request for the older object", async () => {
    const { at, upload } = await host({ "big.jsonl": Buffer.alloc(20 * MiB, "a\n") })
    await upload()
    writeFileSync(at("big.jsonl"), Buffer.alloc(21 * MiB, "b\n"))
    makeFinal(at("big.jsonl"))
    const { requests } = await upload()
    expect(new Set(requests.map((request) => request.split(" ")[1]))).toEqual(new Set(["big.g2.jsonl"]))
  })

  it("is overwritten with --on-replace=overwrite, and kept with --on-replace=fail, which exits 11", async () => {
    const { at, store, upload } = await host({ "a.jsonl": "1\n" })
    await upload()
    writeFileSync(at("a.jsonl"), "2\n")
    const failed = await upload(["--on-replace=fail"])
    expect(failed).toMatchObject({ code: 11, requests: [] })
    expect(failed.stdout).toContain("--on-replace new-key")
    expect((await upload(["--on-replace=overwrite"])).requests).toEqual(["PutObject a.jsonl"])
    expect(store.versions(`${prefix}/a.jsonl`).map(({ body }) => String(body))).toEqual(["1\n", "2\n"])
  })

  it("is overwritten when its name does not match --append-only", async () => {
    const { at, upload } = await host({ "a.txt": "1\n", "b.jsonl": "1\n" })
    const all = ["--include=**", "--append-only=*.log"]
    await upload(all)
    writeFileSync(at("a.txt"), "2\n")
    writeFileSync(at("b.jsonl"), "2\n")
    expect((await upload(all)).requests).toEqual(["PutObject a.txt", "PutObject b.jsonl"])
  })

  it("gets the next generation's key, with no gap after requests that the store refused", async () => {
    const { at, store, upload } = await host({ "a.jsonl": "1\n", "big.jsonl": Buffer.alloc(9 * MiB, "1\n") })
    store.fault = () => ({ kind: "answer", status: 403, code: "AccessDenied" })
    expect((await upload()).code).toBe(22)
    writeFileSync(at("a.jsonl"), "2\n")
    store.fault = undefined
    expect((await upload()).requests).toContain("PutObject a.jsonl")
    writeFileSync(at("big.jsonl"), Buffer.alloc(9 * MiB, "2\n"))
    store.fault = ({ operation }) =>
      operation === "UploadPart" ? { kind: "answer", status: 503, code: "SlowDown" } : undefined
    for (let attempt = 0; attempt < 2; attempt++) expect((await upload(["--max-retries=0"])).code).toBe(32)
    store.fault = undefined
    await upload()
    expect(store.keys()).toEqual([`${prefix}/a.jsonl`, `${prefix}/big.g2.jsonl`, `${prefix}/big.jsonl`])
  })

  it("belongs to one file, even when another file is named like its generation", async () => {
    const { at, store, upload } = await host({ "s.jsonl": "1\n", "t.jsonl": "1\n", "t.g2.jsonl": "other\n" })
    await upload()
    writeFileSync(at("s.jsonl"), "2\n")
    writeFileSync(at("t.jsonl"), "2\n")
    expect((await upload()).requests).toEqual(["PutObject s.g2.jsonl", "PutObject t.g3.jsonl"])
    writeFileSync(at("s.g2.jsonl"), "other\n")
    expect((await upload()).requests).toEqual(["PutObject s.g2.g2.jsonl"])
    for (const key of store.keys()) expect(store.versions(key), key).toHaveLength(1)
  })
})

describe("a file that is rotated away", () => {
  const failEverything = (store: Awaited<ReturnType<typeof startStore>>) => {
    store.fault = () => ({ kind: "answer", status: 503, code: "SlowDown" })
  }

  it("is reported as lost once if it was not stored, and stays listed in the status", async () => {
    const { at, status, store, upload } = await host({ "a.jsonl": "1\n", "b.jsonl": "2\n" })
    failEverything(store)
    expect((await upload(["--max-retries=0"])).code).toBe(32)
    expect((await status()).targets[0]).toMatchObject({ stored: 0, waiting: 2, lost: 0 })
    store.fault = undefined
    rmSync(at("a.jsonl"))
    const second = await upload()
    expect(second.code).toBe(41)
    expect(second.stdout).toContain("warning: a.jsonl was rotated away before it was completely stored")
    expect(summary(second)).toMatch(/^uploaded 1 \(2 B\), lost 1 in /)
    expect((await upload()).code).toBe(0)
    expect((await status()).targets[0]).toMatchObject({ stored: 1, waiting: 0, lost: 1, lostFiles: ["a.jsonl"] })
  })

  it("is reported as `end not seen` if only its live state was stored, and is not reported if it was stored as final", async () => {
    const live = snapshotName(0)
    const { at, upload } = await host({ [live]: "1\n", [snapshotName(3)]: "1\n" })
    expect((await upload()).requests).toHaveLength(2)
    rmSync(at(live))
    rmSync(at(snapshotName(3)))
    const second = await upload(["--output=json"])
    expect(second.code).toBe(0)
    expect(report(second)).toMatchObject({ lostFiles: [], endNotSeenFiles: [live] })
    expect(report(await upload(["--output=json"])).endNotSeenFiles).toEqual([])
  })

  it("counts as vanished, not as lost, in the run that selected it", async () => {
    const { at, store, upload } = await host({ "a.jsonl": "1\n", "b.jsonl": "2\n" })
    store.fault = () => {
      rmSync(at("b.jsonl"), { force: true })
      return undefined
    }
    const result = await upload(["--concurrency=1"])
    expect(result.code).toBe(0)
    expect(summary(result)).toContain("uploaded 1 (2 B), vanished 1")
    expect((await upload()).code).toBe(0)
  })

  it("is reported as at risk beforehand if it is not stored yet", async () => {
    const oldest = snapshotName(23)
    const { at, store, upload } = await host({ [oldest]: "1\n", [snapshotName(3)]: "1\n" })
    // the collector is writing to the directory
    writeFileSync(at(snapshotName(0)), "1\n")
    failEverything(store)
    const result = await upload(["--max-retries=0", "--output=json"])
    expect(report(result).filesAtRisk.map(({ file }) => file)).toEqual([oldest])
    store.fault = undefined
    expect(report(await upload(["--output=json"])).filesAtRisk).toEqual([])
  })

  it("is not reported as lost when --input names another directory", async () => {
    const { args, store, upload } = await host({ "a.jsonl": "1\n" })
    failEverything(store)
    await upload(["--max-retries=0"])
    store.fault = undefined
    const moved = args().map((arg, at, all) => (all[at - 1] === "--input" ? tree({ "b.jsonl": "1\n" }) : arg))
    expect((await run(moved)).code).toBe(0)
  })
})

const changed = (sql: string) => (path: string) => {
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
}

describe("the ledger", () => {
  it.each([
    ["is damaged", (path: string) => writeFileSync(path, "no database at all\n".repeat(300))],
    ["was written by a newer version", changed("PRAGMA user_version = 1000")],
    [
      "belongs to another program",
      (path: string) => {
        rmSync(path)
        const db = new DatabaseSync(path)
        db.exec("CREATE TABLE files (a)")
        db.close()
      }
    ],
    ["has lost a table", changed("DROP TABLE attempts")],
    ["has lost an index", changed("DROP INDEX unsettled_files")],
    ["has lost a column", changed("ALTER TABLE runs DROP COLUMN exit_code")],
    ["has a column of another name", changed("ALTER TABLE parts RENAME COLUMN etag TO etah")],
    ["has the version of an older schema", changed("PRAGMA user_version = 3")],
    ["has the version of no schema", changed("PRAGMA user_version = 0")]
  ])("is set aside with a warning when it %s, and every file is uploaded again", async (_, damage) => {
    const { stateDir, upload } = await host({ "a.jsonl": "1\n" })
    await upload()
    const path = join(stateDir, "ledger.db")
    damage(path)
    const damaged = readFileSync(path)
    const second = await upload(["--output=json"])
    expect(second).toMatchObject({ code: 0, requests: ["PutObject a.jsonl"] })
    const { setAside } = report(second).ledger!
    expect(setAside).toMatch(/ledger\.db\.\d{4}-\d\d-\d\dT/)
    expect(readFileSync(setAside!).equals(damaged)).toBe(true)
    expect((await upload()).requests).toEqual([])
  })

  it("is set aside by a run that finds damage midway and exits 51; the next run uploads every file", async () => {
    const files = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`${at}.jsonl`, `${at}\n`]))
    const { stateDir, upload } = await host(files)
    await upload()
    const path = join(stateDir, "ledger.db")
    const bytes = readFileSync(path)
    // the schema, the targets and the runs stay intact: only the last records of files are damaged
    bytes.fill(0xee, bytes.length - 10 * 4096)
    writeFileSync(path, bytes)
    expect((await upload()).code).toBe(51)
    expect(await upload()).toMatchObject({ code: 0, requests: { length: 500 } })
  })

  it("is locked for every state directory that leads to it", async () => {
    const { args, stateDir, store } = await host({ "a.jsonl": "1\n" }, { latencyMs: 3000 })
    const other = emptyDirectory()
    expect((await run(args())).code).toBe(0)
    symlinkSync(join(stateDir, "ledger.db"), join(other, "ledger.db"))
    const first = start(args("--force"))
    await until(() => store.inFlight === 1)
    const through = (path: string) => run(args().map((arg) => (arg === stateDir ? path : arg)))
    expect((await through(other)).code).toBe(50)
    expect((await first.finished).code).toBe(0)
    expect(summary(await through(other))).toContain("unchanged 1")
  })

  it.each(["no database, but longer than the header of one\n".repeat(3), "\0".repeat(5000)])(
    "is used as before when its lock file contains garbage",
    async (garbage) => {
      const { stateDir, upload } = await host({ "a.jsonl": "1\n" })
      await upload()
      writeFileSync(join(stateDir, "ledger.lock"), garbage)
      expect(await upload()).toMatchObject({ code: 0, requests: [] })
    }
  )

  it("fails with 51 instead of emptying the file when its lock file is a link to something else", async () => {
    const { stateDir, upload } = await host({ "a.jsonl": "1\n" })
    const other = join(emptyDirectory(), "other")
    writeFileSync(other, "no database, but longer than the header of one\n".repeat(3))
    symlinkSync(other, join(stateDir, "ledger.lock"))
    expect((await upload()).code).toBe(51)
    expect(readFileSync(other, "utf8")).toContain("no database")
  })

  it("can be waited for with --lock-wait", async () => {
    const { args, store } = await host({ "a.jsonl": "1\n" }, { latencyMs: 1000 })
    const first = start(args())
    await until(() => store.inFlight === 1)
    const second = await run(args("--lock-wait=30s"))
    expect(second.code).toBe(0)
    expect(summary(second)).toContain("unchanged 1")
    expect((await first.finished).code).toBe(0)
    expect(store.requests).toHaveLength(1)
  })

  it("is not waited for longer than --lock-wait, or after a signal", async () => {
    const { args, store } = await host({ "a.jsonl": "1\n" }, { latencyMs: 8000 })
    const first = start(args())
    await until(() => store.inFlight === 1)
    expect((await run(args("--lock-wait=500ms"))).code).toBe(50)
    const waiting = start(args("--lock-wait=1h"))
    setTimeout(() => waiting.child.kill("SIGTERM"), 2000)
    expect((await waiting.finished).code).toBe(143)
    expect((await first.finished).code).toBe(0)
  })

  it("is unlocked when the run that held it is killed", async () => {
    const { args, store, upload } = await host({ "a.jsonl": "1\n" }, { latencyMs: 1000 })
    const first = start(args())
    await until(() => store.inFlight === 1)
    first.child.kill("SIGKILL")
    await first.finished
    expect((await upload()).code).toBe(0)
  })

  it("lets status show how the last run ended, even while a run is active", async () => {
    const { args, input, status, stateDir, store, upload } = await host({ "a.jsonl": "1\n" }, { latencyMs: 1000 })
    const missing = await run(["status", "--state-dir", stateDir])
    expect(missing).toMatchObject({ code: 51, stdout: "" })
    await upload(["--storage-class=MARBLE"])
    const { finished } = start(args())
    await until(() => store.inFlight === 1)
    const target = (await status()).targets[0]
    expect(target).toMatchObject({
      bucket: "snapshots",
      prefix,
      input,
      lastRun: { exitCode: null, endedAt: null },
      mostRecent: true,
      lastSuccess: null,
      waiting: 1,
      oldestWaiting: { file: "a.jsonl" }
    })
    await finished
    const text = await run(["status", "--state-dir", stateDir])
    expect(text.code).toBe(0)
    expect(text.stdout).toMatch(/last run {6}\S+Z \(\S+ s ago\), exit 0 \(ok\)\n/)
    expect(text.stdout).toMatch(/stored {8}1 file \(2 B\)\n {2}waiting {7}0 files\n {2}lost {10}0 files\n$/)
    expect(store.requests).toHaveLength(2)
  })
})

const isRoot = process.getuid?.() === 0
const mounted: Array<string> = []
const smallDisk = (size: string) => {
  const path = emptyDirectory()
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path], { stdio: "ignore" })
  } catch {
    return undefined
  }
  mounted.push(path)
  return path
}
afterEach(() => {
  for (const path of mounted.splice(0)) execFileSync("umount", [path])
})

describe.skipIf(!isRoot || !existsSync("/usr/bin/mount"))("the ledger's disk", () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`${at}-${"n".repeat(200)}.jsonl`, `${at}\n`]))

  it("makes the run exit 51 when it fills up; the ledger records only stored files, and the next run recovers", async ({
    skip
  }) => {
    const { input, store } = await host(many(2000))
    const stateDir = smallDisk("700k") ?? skip("no tmpfs can be mounted here")
    const flags = ["--state-dir", stateDir]
    const args = s3(input, store.endpoint, ...flags)
    const full = await run(args)
    expect(full.code, full.stdout + full.stderr).toBe(51)
    expect(full.stdout).toContain("SQLITE_FULL")
    expect(full.stdout).toMatch(/failed 1 /)
    expect(full.stderr.split("\n").length, full.stderr).toBeLessThan(10)
    const arrived = store.keys().length
    expect(arrived).toBeLessThan(2000)

    const acknowledged = JSON.parse((await run(["status", ...flags, "--output=json"])).stdout) as Status
    expect(acknowledged.targets[0]?.stored).toBeLessThanOrEqual(arrived)

    const before = store.requests.length
    expect((await run(args)).code).toBe(51)
    expect(store.requests.length - before).toBeLessThan(100)

    execFileSync("mount", ["-o", "remount,size=64m", stateDir])
    const recovered = await run(args)
    expect(recovered.code, recovered.stdout).toBe(0)
    expect(store.keys()).toHaveLength(2000)
    expect((await run(args)).stdout).toContain("unchanged 2000")
  })

  it("keeps no ledger where another user may have prepared one", async () => {
    const { input, store } = await host({ "a.jsonl": "1\n" })
    const victim = emptyDirectory()
    const writable = emptyDirectory()
    chmodSync(writable, 0o777)
    const shared = emptyDirectory()
    chmodSync(shared, 0o1777)
    writeFileSync(join(shared, "ledger.db"), "")
    chownSync(join(shared, "ledger.db"), 65534, 65534)
    const linked = emptyDirectory()
    symlinkSync(join(victim, "new.db"), join(linked, "ledger.db"))
    lchownSync(join(linked, "ledger.db"), 65534, 65534)
    for (const stateDir of [writable, shared, linked]) {
      const result = await run(s3(input, store.endpoint, "--state-dir", stateDir))
      expect(result.code, result.stdout + result.stderr).toBe(51)
    }
    expect(readdirSync(victim)).toEqual([])
    expect(store.requests).toEqual([])
  })

  it("makes the run exit 51 before it sends anything when it is full from the start", async ({ skip }) => {
    const { input, store } = await host({ "a.jsonl": "1\n" })
    const stateDir = smallDisk("64k") ?? skip("no tmpfs can be mounted here")
    try {
      writeFileSync(join(stateDir, "filler"), Buffer.alloc(MiB))
    } catch {
      // the disk is full
    }
    expect((await run(s3(input, store.endpoint, "--state-dir", stateDir))).code).toBe(51)
    expect(store.requests).toEqual([])
  })

  it("can be read-only for status and --dry-run, but not for a run", async ({ skip }) => {
    const { input, store } = await host({ "a.jsonl": "1\n" })
    const stateDir = smallDisk("4m") ?? skip("no tmpfs can be mounted here")
    const flags = ["--state-dir", stateDir]
    await run(s3(input, store.endpoint, ...flags))
    execFileSync("mount", ["-o", "remount,ro", stateDir])
    const status = await run(["status", ...flags])
    expect(status.code, status.stderr).toBe(0)
    expect(status.stdout).toContain("1 file (2 B)")
    expect((await run(s3(input, store.endpoint, ...flags, "--dry-run"))).stdout).toContain("unchanged 1")
    expect((await run(s3(input, store.endpoint, ...flags))).code).toBe(51)
  })
})
