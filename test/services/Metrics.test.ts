import { execFileSync } from "node:child_process"
import { chmodSync, existsSync, lchownSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { StateUnusable } from "../../src/domain/Errors.ts"
import { LedgerStatus } from "../../src/services/Ledger.ts"
import { Metrics } from "../../src/services/Metrics.ts"
import { reportOf } from "../fixtures/Report.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"

const report = reportOf([])

const unusable = new StateUnusable({ path: "/state", detail: "none" })
const noLedger = Layer.succeed(LedgerStatus, { read: unusable, openFiles: unusable })
const publish = (path: string) =>
  Effect.flatMap(Metrics, (metrics) => metrics.publish(report)).pipe(
    Effect.provide(Layer.provide(Metrics.layerFile(path), [noLedger, NodeFileSystem.layer]))
  )

const fifoIn = (root: string) => {
  const path = join(root, "fifo")
  execFileSync("mkfifo", [path])
  return path
}

describe("a metrics file", () => {
  it.live("is replaced atomically, and everyone may read it", () =>
    Effect.gen(function* () {
      const directory = tree({ "a.prom": "old" })
      const path = join(directory, "a.prom")
      const { ino } = statSync(path)
      chmodSync(path, 0o600)
      expect(yield* publish(path)).toEqual({ path, error: null })
      expect(readFileSync(path, "utf8")).toContain("\nibsr_export_last_run_exit_code{")
      expect(statSync(path).ino).not.toBe(ino)
      expect(statSync(path).mode & 0o777).toBe(0o644)
      expect(readdirSync(directory)).toEqual(["a.prom"])
    })
  )

  it.live("is written to the target of a symbolic link", () =>
    Effect.gen(function* () {
      const [target, link] = [join(tree({ "a.prom": "old" }), "a.prom"), join(emptyDirectory(), "link.prom")]
      symlinkSync(target, link)
      expect(yield* publish(link)).toEqual({ path: link, error: null })
      expect(lstatSync(link).isSymbolicLink()).toBe(true)
      expect(readFileSync(target, "utf8")).toContain("ibsr_export_build_info")
    })
  )

  it.live.skipIf(process.getuid?.() !== 0)("is not written through a link that another user has planted", () =>
    Effect.gen(function* () {
      const victim = join(tree({ victim: "secret" }), "victim")
      const link = join(emptyDirectory(), "a.prom")
      symlinkSync(victim, link)
      lchownSync(link, 65534, 65534)
      expect((yield* publish(link))?.error).toContain("a symbolic link that belongs to another user (uid 65534)")
      expect(readFileSync(victim, "utf8")).toBe("secret")
    })
  )

  it.live.each([
    ["the directory is missing", (root: string) => join(root, "missing", "a.prom"), "ENOENT"],
    ["the path is a directory", (root: string) => root, "it is not a regular file"],
    ["the path is a FIFO", fifoIn, "it is not a regular file"]
  ] as const)("is reported as not written, and leaves no temporary file, when %s", ([, at, message]) =>
    Effect.gen(function* () {
      const root = emptyDirectory()
      const metrics = yield* publish(at(root))
      expect(metrics?.error).toContain(message)
      expect(readdirSync(root).filter((name) => name !== "fifo")).toEqual([])
      if (existsSync(join(root, "fifo"))) expect(statSync(join(root, "fifo")).isFIFO()).toBe(true)
    })
  )
})
