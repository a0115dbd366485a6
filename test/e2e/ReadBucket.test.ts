/** Tests docs/reading.md: what a reader finds in the bucket after uploads during which the collector was restarted. */
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { Collector } from "../../scripts/simulate/Collector.ts"
import { seeded } from "../../scripts/simulate/Random.ts"
import { StrictS3 } from "../../scripts/strict-s3/StrictS3.ts"
import { emptyDirectory } from "../fixtures/Tree.ts"
import { run, s3 } from "./BuiltProgram.ts"
import { stopStore } from "./Store.ts"

const hourMillis = 3_600_000
const start = Date.UTC(2026, 10, 22, 14)
const prefix = "ibsr/host/snapshots/"

/** Makes the program use the collector's time. */
const clock = `data:text/javascript,${encodeURIComponent("Date.now = () => Number(process.env.TEST_NOW)")}`

interface Object {
  readonly body: Buffer
  readonly state: string | undefined
}

describe("a reader who has access only to the bucket", () => {
  const input = emptyDirectory()
  const collector = new Collector(input, seeded(20_261_127), start, { setsTimes: true })
  /** The run directories, in the order of their creation. */
  const directories: Array<string> = []
  const objects = new Map<string, Object>()
  const scratch = emptyDirectory()

  beforeAll(async () => {
    const store = await StrictS3.start({ clock: () => collector.now })
    const stateDir = emptyDirectory()
    for (let hour = 1; hour <= 12; hour++) {
      // the restart is in the middle of an hour, so that two directories have a snapshot of the same name
      let restartsAt = hour === 5 || hour === 9 ? start + (hour - 0.5) * hourMillis : Infinity
      for (; collector.now < start + hour * hourMillis + 5 * 60_000; collector.tick())
        if (collector.now >= restartsAt) {
          restartsAt = Infinity
          directories.push(collector.directory)
          collector.restart()
        }
      const { code, stderr, stdout } = await run(s3(input, store.endpoint, "--state-dir", stateDir), {
        preload: clock,
        env: { TEST_NOW: String(collector.now) }
      })
      expect(code, stdout + stderr).toBe(0)
    }
    directories.push(collector.directory)
    for (const key of store.keys()) {
      const { body, metadata } = store.object(key)!
      objects.set(key, { body, state: metadata["ibsr-state"] })
    }
    await stopStore(store)
  }, 120_000)

  /** Downloads one run directory, as `aws s3 sync` does, and returns its objects by name. */
  const sync = (directory: string) => {
    const local = join(scratch, directory)
    rmSync(local, { recursive: true, force: true })
    execFileSync("mkdir", ["-p", local])
    const found = [...objects].filter(([key]) => key.startsWith(`${prefix}${directory}/`))
    for (const [key, { body }] of found) writeFileSync(join(local, basename(key)), body)
    return { local, found: new Map(found.map(([key, object]) => [basename(key), object])) }
  }
  const isSnapshot = (name: string) => /^snapshot_\d{10}\.jsonl$/.test(name)
  const written = (directory: string) =>
    collector.versions.filter(({ name }) => name.startsWith(`${directory}/`) && isSnapshot(basename(name)))

  it("gets byte-equal snapshots of an ended run directory, in order and all final", () => {
    expect(directories).toHaveLength(3)
    for (const directory of directories.slice(0, 2)) {
      const { found, local } = sync(directory)
      const names = readdirSync(local).filter(isSnapshot).toSorted()
      expect(names).toEqual(written(directory).map(({ name }) => basename(name)))
      expect(names.length).toBeGreaterThan(3)
      const all = Buffer.concat(names.map((name) => readFileSync(join(local, name))))
      expect(
        all.equals(
          Buffer.from(
            written(directory)
              .map(({ text }) => text)
              .join("")
          )
        )
      ).toBe(true)
      const lines = [...String(all).matchAll(/^\{"line":(\d+),/gm)].map(([, line]) => Number(line))
      expect(lines).toEqual(lines.toSorted((a, b) => a - b))
      expect([...found].filter(([, { state }]) => state !== "final")).toEqual([])
    }
  })

  it("sees whether an object is live: the newest hour is marked as live and ends in a complete line", () => {
    const { found } = sync(directories.at(-1)!)
    const snapshots = written(directories.at(-1)!)
    const newest = basename(snapshots.at(-1)!.name)
    const live = [...found].filter(([, { state }]) => state === "live").map(([name]) => name)
    expect(live.filter(isSnapshot)).toEqual([newest])
    for (const { name, text } of snapshots) {
      const { body, state } = found.get(basename(name))!
      expect(body.length > 0 && text.startsWith(String(body)) && String(body).endsWith("\n")).toBe(true)
      if (state === "final") expect(String(body)).toBe(text)
    }
  })

  it("finds the generations of a truncated status.jsonl under keys of their own, in order", () => {
    const generations = directories.map((directory) => {
      const { found } = sync(directory)
      const names = [...found.keys()].filter((name) => name.startsWith("status."))
      const number = (name: string) => Number(/\.g(\d+)\.jsonl$/.exec(name)?.[1] ?? 1)
      const texts = collector.versions
        .filter(({ name }) => name === `${directory}/status.jsonl`)
        .map(({ text }) => text)
      let at = 0
      for (const name of names.toSorted((a, b) => number(a) - number(b))) {
        const body = String(found.get(name)!.body)
        while (at < texts.length && !texts[at]!.startsWith(body)) at++
        expect(at, `${directory}/${name} holds lines of one version of the file`).toBeLessThan(texts.length)
        at++
      }
      return names.length
    })
    expect(Math.max(...generations)).toBeGreaterThan(1)
  })

  it("finds exactly the missing hours with the script in docs/reading.md", () => {
    const page = readFileSync(new URL("../../docs/reading.md", import.meta.url), "utf8")
    const script = /^ls ibsr-[^]*?^ {2}done$/m.exec(page)![0]
    const holes = (directory: string) =>
      execFileSync("bash", ["--norc", "-c", script.replaceAll("ibsr-20261122-141500Z", directory)], {
        cwd: scratch,
        encoding: "utf8"
      })
    const directory = directories[0]!
    const { local } = sync(directory)
    expect(holes(directory)).toBe("")
    rmSync(join(local, basename(written(directory)[2]!.name)))
    expect(holes(directory)).toBe("missing between 2026-11-22T15 and 2026-11-22T17\n")
  })
})
