/** What `status --stored` lists, and the README's commands that delete it. */
import { execFileSync } from "node:child_process"
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join, relative, resolve } from "node:path"
import { describe, expect, it } from "vitest"
import * as Product from "../../scripts/build/Product.ts"
import type { StoredList } from "../../src/report/StoredList.ts"
import { emptyDirectory, snapshotName, tree } from "../fixtures/Tree.ts"
import { run, s3, start, until } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const [older, old, current] = ["ibsr-20261118-080000Z", "ibsr-20261119-080000Z", "ibsr-20261120-080000Z"]

/** A host that has uploaded these files. */
const host = async (files: Parameters<typeof tree>[0], more: ReadonlyArray<string> = []) => {
  const store = await startStore({ buckets: ["snapshots", "other"] })
  const input = tree(files)
  const stateDir = emptyDirectory()
  const args = [...s3(input, store.endpoint, "--state-dir", stateDir), ...more]
  const at = (path: string) => join(input, path)
  const upload = (...flags: ReadonlyArray<string>) => run([...args, ...flags])
  const status = (...flags: ReadonlyArray<string>) => run(["status", "--state-dir", stateDir, ...flags])
  const stored = async (...flags: ReadonlyArray<string>) => {
    const list = JSON.parse((await status("--stored", input, "--output=json", ...flags)).stdout) as StoredList
    const paths = (found: ReadonlyArray<{ readonly path: string }>) =>
      found.map(({ path }) => relative(input, path)).toSorted()
    return { files: paths(list.files), directories: paths(list.directories), kept: list.kept }
  }
  expect((await upload()).code).toBe(0)
  return { store, input, stateDir, args, at, upload, status, stored }
}

const now = () => new Date()
const none = { live: 0, waiting: 0, changed: 0, unknown: 0 }

describe("status --stored", () => {
  it("lists the files that are stored as final, and the run directories that hold nothing else", async () => {
    const { stored } = await host({
      [`${old}/snapshot_2026111908.jsonl`]: "1\n",
      [`${old}/status.jsonl`]: "1\n",
      [`${current}/${snapshotName(3)}`]: "1\n",
      [`${current}/${snapshotName(0)}`]: "1\n"
    })
    expect(await stored()).toEqual({
      files: [`${current}/${snapshotName(3)}`, `${old}/snapshot_2026111908.jsonl`, `${old}/status.jsonl`].toSorted(),
      directories: [old],
      kept: { ...none, live: 1 }
    })
  })

  it("lists a directory only after a run has stored the status.jsonl of the ended collector as final", async () => {
    const { at, stored, upload } = await host({ [`${current}/${snapshotName(3)}`]: "1\n" })
    writeFileSync(at(`${current}/status.jsonl`), "1\n")
    await upload()
    expect(await stored()).toMatchObject({ directories: [], kept: { live: 1 } })
    const twoHoursAgo = new Date(Date.now() - 7_200_000)
    utimesSync(at(`${current}/status.jsonl`), twoHoursAgo, twoHoursAgo)
    expect(await stored()).toMatchObject({ directories: [], kept: { live: 1 } })
    await upload()
    expect(await stored()).toMatchObject({ directories: [current], kept: none })
  })

  it("does not list the newest directory if its collector has written within the last hour", async () => {
    const { at, stored } = await host({ [`${current}/${snapshotName(3)}`]: "1\n" }, ["--final-after=0s"])
    utimesSync(at(`${current}/${snapshotName(3)}`), now(), now())
    const {
      stored: again,
      upload,
      ...second
    } = await host({ [`${current}/${snapshotName(3)}`]: "1\n", [`${old}/a.jsonl`]: "1\n" }, ["--final-after=0s"])
    utimesSync(second.at(`${current}/${snapshotName(3)}`), now(), now())
    utimesSync(second.at(`${old}/a.jsonl`), now(), now())
    expect((await stored()).kept).toEqual({ ...none, changed: 1 })
    await upload()
    expect(await again()).toEqual({
      files: [`${current}/${snapshotName(3)}`, `${old}/a.jsonl`].toSorted(),
      directories: [old],
      kept: none
    })
  })

  it.each<[what: string, change: (path: string) => void, kept: Partial<StoredList["kept"]>]>([
    ["has grown", (path) => appendFileSync(path, "2\n"), { changed: 1 }],
    ["was touched", (path) => utimesSync(path, now(), now()), { changed: 1 }],
    [
      "was replaced by one of the same size and time",
      (path) => {
        writeFileSync(`${path}.new`, "2\n")
        utimesSync(`${path}.new`, 1, 1)
        rmSync(path)
        execFileSync("mv", [`${path}.new`, path])
      },
      { changed: 1 }
    ],
    ["became a link", (path) => (rmSync(path), symlinkSync("/etc/passwd", path)), { unknown: 1 }]
  ])("does not list a file that %s", async (_, change, kept) => {
    const { at, stored } = await host({ [`${old}/a.jsonl`]: "1\n", [`${current}/b.jsonl`]: "1\n" })
    change(at(`${old}/a.jsonl`))
    expect(await stored()).toMatchObject({ files: [`${current}/b.jsonl`], kept: { ...none, ...kept } })
    expect((await stored()).directories).not.toContain(old)
  })

  it.each([
    ["an excluded file", (path: string) => writeFileSync(join(path, "packets.pcap"), "1")],
    ["a file in a subdirectory", (path: string) => (mkdirSync(join(path, "d")), writeFileSync(join(path, "d/x"), ""))],
    ["a hidden file", (path: string) => writeFileSync(join(path, ".x"), "")],
    [
      "a file whose name is not UTF-8",
      (path: string) => writeFileSync(Buffer.from(`${path}/\xff.jsonl`, "latin1"), "")
    ],
    ["a link", (path: string) => symlinkSync("a.jsonl", join(path, "b.jsonl"))]
  ])("does not list a directory that contains %s", async (_, add) => {
    const { at, stored } = await host({ [`${old}/a.jsonl`]: "1\n", [`${current}/a.jsonl`]: "1\n" })
    add(at(old))
    const found = await stored()
    expect(found.files).toEqual([`${old}/a.jsonl`, `${current}/a.jsonl`].toSorted())
    expect(found.directories).not.toContain(old)
    expect(found.kept).toEqual({ ...none, unknown: 1 })
  })

  it("counts a file that the store has refused as waiting", async () => {
    const { at, args, status, stored, store } = await host({ [`${old}/a.jsonl`]: "1\n" })
    writeFileSync(at(`${old}/b.jsonl`), "1\n")
    store.fault = () => ({ kind: "answer", status: 403, code: "AccessDenied" })
    expect((await run(args)).code).toBe(22)
    expect(await stored()).toMatchObject({ files: [`${old}/a.jsonl`], directories: [], kept: { ...none, waiting: 1 } })
    expect((await status("--stored", at(old))).stderr).toContain("not listed: 0 live, 1 waiting, 0 changed, 0 unknown")
  })

  it("lists a file with two targets once it is stored in both, or in the selected one", async () => {
    const { args, stored, upload } = await host({ [`${old}/a.jsonl`]: "1\n" })
    const other = args.map((word) => (word === "--bucket=snapshots" ? "--bucket=other" : word))
    await run([...other, "--exclude=a.jsonl"])
    expect(await stored()).toMatchObject({ files: [], kept: { ...none, unknown: 1 } })
    expect((await stored("--bucket=snapshots")).files).toEqual([`${old}/a.jsonl`])
    await run(other)
    expect((await stored()).files).toEqual([`${old}/a.jsonl`])
    await upload()
  })

  it("works while a run holds the ledger, needs no credentials, and creates no file", async () => {
    const { args, at, status, stateDir, store, input } = await host({ [`${old}/a.jsonl`]: "1\n" })
    writeFileSync(at(`${old}/b.jsonl`), "1\n")
    store.fault = () => ({ kind: "hang" })
    const before = store.requests.length
    const running = start(args)
    await until(() => store.requests.length > before)
    const files = () => readdirSync(stateDir).toSorted()
    const present = files()
    const { code, stdout } = await status("--stored", "-0", input)
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${at(`${old}/a.jsonl`)}\0` })
    expect(files()).toEqual(present)
    running.child.kill("SIGKILL")
    await running.finished
  })

  it("accepts several directories, before or after -0, and lists no file twice", async () => {
    const { at, input, status } = await host({ [`${old}/a.jsonl`]: "1\n", [`${current}/b.jsonl`]: "1\n" })
    const [a, b] = [`${at(`${old}/a.jsonl`)}\0`, `${at(`${current}/b.jsonl`)}\0`]
    expect((await status("--stored", at(old), "-0")).stdout).toBe(a)
    expect((await status("-0", "--stored", at(current), at(old))).stdout).toBe(b + a)
    expect((await status("--stored", "--null", "--", at(old), input, `${input}/`)).stdout).toBe(b + a)
    expect((await status(`--stored=${relative(process.cwd(), at(old))}`, "-0")).stdout).toBe(a)
  })

  it("finds the files through a link to the input", async () => {
    const { at, input, status } = await host({ [`${old}/a.jsonl`]: "1\n" })
    const link = join(emptyDirectory(), "link")
    symlinkSync(input, link)
    const { stdout } = await status("--stored", "-0", link)
    expect(stdout).toBe(`${join(link, old, "a.jsonl")}\0`)
    expect(realpathSync(stdout.slice(0, -1))).toBe(realpathSync(at(`${old}/a.jsonl`)))
  })

  it("escapes control characters in text output only", async () => {
    const { at, status } = await host({ [`${old}/a\nb.jsonl`]: "1\n" })
    expect((await status("--stored", at(old))).stdout).toBe(`${at(`${old}/a\\nb.jsonl`)}\n`)
    expect((await status("--stored", "-0", at(old))).stdout).toBe(`${at(`${old}/a\nb.jsonl`)}\0`)
  })

  it.each<[title: string, flags: ReadonlyArray<string>, problem: string]>([
    ["no directory", ["--stored"], "--stored needs a value (DIR)"],
    ["an empty directory name", ["--stored", ""], "--stored needs a value (DIR)"],
    ["a directory without uploads", ["--stored", "/usr"], "--stored: nothing was uploaded from /usr"],
    ["a directory without --stored", ["/usr"], "unexpected argument '/usr': give it after --stored"],
    ["-0 without --stored", ["-0"], "--null needs --stored"],
    ["-0 with JSON", ["--stored", "/", "-0", "--output=json"], "--null cannot be combined with --output json"],
    ["whole directories without --stored", ["--whole-directories"], "--whole-directories needs --stored"],
    ["Nagios", ["--stored", "/", "--output=nagios"], "--stored cannot be combined with --output nagios"]
  ])("exits with 60 for %s, and prints no path", async (_, flags, problem) => {
    const { status } = await host({ [`${old}/a.jsonl`]: "1\n" })
    const { code, stderr, stdout } = await status(...flags)
    expect({ code, stdout }).toEqual({ code: 60, stdout: "" })
    expect(stderr).toContain(problem)
  })

  it("exits with 51 without a ledger", async () => {
    expect((await run(["status", "--stored", "/", "--state-dir", emptyDirectory()])).code).toBe(51)
  })
})

describe("the README's command for deleting", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")
  const section = readme.split("\n### What may be deleted\n")[1]!.split("\n## ")[0]!
  const [wholeDirectories = "", singleFiles = ""] = section.match(/^ibsr-export status .*$/gm)!
  const bin = emptyDirectory()
  const program = Product.program().map((word) => `'${resolve(word)}'`)
  writeFileSync(join(bin, "ibsr-export"), `#!/bin/sh\nexec ${program.join(" ")} "$@"\n`)
  chmodSync(join(bin, "ibsr-export"), 0o755)

  /** Runs the command in a shell, with the paths of this host. */
  const execute = (command: string, { input, stateDir }: { readonly input: string; readonly stateDir: string }) => {
    const adapted = command
      .replace("/var/lib/ibsr-export ", () => `'${stateDir}' `)
      .replace("/var/lib/ibsr/snapshots ", () => `'${input}' `)
    execFileSync("bash", ["--norc", "-eo", "pipefail", "-c", adapted], {
      cwd: emptyDirectory(),
      env: { PATH: `${bin}:${process.env["PATH"]}` }
    })
  }
  const left = (input: string) => readdirSync(input, { recursive: true, encoding: "utf8" }).toSorted()

  const oddNames = ["a b.jsonl", "a\nb.jsonl", "-rf.jsonl", "'\"$(touch x)`.jsonl", "\\.jsonl", "*.jsonl", "ü.jsonl"]
  const files = {
    ...Object.fromEntries(oddNames.map((name) => [`${older}/${name}`, "1\n"])),
    [`${old}/a.jsonl`]: "1\n",
    [`${old}/packets.pcap`]: "not uploaded",
    [`${current}/${snapshotName(3)}`]: "1\n",
    [`${current}/${snapshotName(0)}`]: "1\n"
  }

  it("deletes whole run directories, and nothing else", async () => {
    const uploaded = await host(files)
    execute(wholeDirectories, uploaded)
    expect(left(uploaded.input)).toEqual(
      [old, `${old}/a.jsonl`, `${old}/packets.pcap`, current, `${current}/${snapshotName(3)}`]
        .concat(`${current}/${snapshotName(0)}`)
        .toSorted()
    )
    execute(wholeDirectories, uploaded)
  })

  it("deletes single files, and nothing else", async () => {
    const uploaded = await host(files)
    execute(singleFiles, uploaded)
    expect(left(uploaded.input)).toEqual(
      [older, old, `${old}/packets.pcap`, current, `${current}/${snapshotName(0)}`].toSorted()
    )
    const { code, stderr } = await uploaded.upload()
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  })
})
