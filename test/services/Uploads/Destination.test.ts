/** Checks, for random changes of files and random ends of runs, that an object is only ever extended. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck as fc } from "effect"
import {
  appendFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import * as zlib from "node:zlib"
import type { Mode } from "../../../src/domain/Compression.ts"
import * as ConcurrencyLimit from "../../../src/domain/ConcurrencyLimit.ts"
import { NetworkFailure } from "../../../src/domain/Errors.ts"
import type { Settings } from "../../../src/domain/Settings.ts"
import * as MemoryStore from "../../../scripts/simulate/MemoryStore.ts"
import { exportOnce } from "../../fixtures/Export.ts"
import { settingsWith } from "../../fixtures/Settings.ts"
import { emptyDirectory, tree } from "../../fixtures/Tree.ts"
import * as OverwriteProtection from "../../../src/services/Uploads/OverwriteProtection.ts"

const MiB = 1024 ** 2

/** File names. All but the first are names of its later generations, or of their compressed objects. */
const names = ["s.jsonl", "s.g2.jsonl", "s.jsonl.zst", "s.g2.jsonl.gz"] as const
type Name = (typeof names)[number]

type Step =
  | { readonly _tag: "append" | "recreate" | "replace"; readonly name: Name; readonly text: string }
  | { readonly _tag: "cut" | "rotate" | "touch"; readonly name: Name }
  /** `answered`: after this number of stored objects, the store continues to store, but its responses are lost. */
  | { readonly _tag: "run"; readonly answered: number; readonly compress: Mode }

// few different lines, so that a rewritten file often starts with its previous content, even beyond the first 4 KiB
const long = `${"c".repeat(5000)}\n`
const larger = `${"d".repeat(6 * MiB)}\n`
const text = fc
  .tuple(fc.constantFrom("", long, long, larger), fc.array(fc.constantFrom("a\n", "b\n", long), { maxLength: 3 }))
  .map(([first, rest]) => first + rest.join(""))
const name = fc.constantFrom(...names)
const compress = fc.constantFrom<Mode>("none", "none", "zstd", "gzip")
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ _tag: fc.constant("append" as const), name, text }) },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constantFrom("recreate" as const, "replace" as const), name, text }) },
  {
    weight: 2,
    arbitrary: fc.record({ _tag: fc.constantFrom("cut" as const, "rotate" as const, "touch" as const), name })
  },
  { weight: 4, arbitrary: fc.record({ _tag: fc.constant("run" as const), answered: fc.constant(Infinity), compress }) },
  {
    weight: 2,
    arbitrary: fc.record({ _tag: fc.constant("run" as const), answered: fc.integer({ min: 0, max: 2 }), compress })
  }
)

/** Every file is final, and modification times never repeat. */
let minute = 0
const makeFinal = (path: string) => {
  const at = Date.now() / 1000 - 864_000 + ++minute
  if (existsSync(path)) utimesSync(path, at, at)
}

const change = (path: string, step: Exclude<Step, { _tag: "run" }>) => {
  switch (step._tag) {
    case "append":
      appendFileSync(path, step.text)
      break
    case "cut":
      if (existsSync(path)) truncateSync(path)
      break
    case "replace":
      writeFileSync(path, step.text)
      break
    case "recreate":
      writeFileSync(`${path}.new`, step.text)
      renameSync(`${path}.new`, path)
      break
    case "rotate":
      rmSync(path, { force: true })
      break
    case "touch":
      break
  }
  makeFinal(path)
}

/** The content of an object. No plain file in this test begins like a compressed one. */
const plain = (object: Buffer) =>
  object.length >= 2 && object.readUInt16BE(0) === 0x1f8b
    ? zlib.gunzipSync(object)
    : object.length >= 4 && object.readUInt32LE(0) === 0xfd2fb528
      ? zlib.zstdDecompressSync(object)
      : object

const lost = new NetworkFailure({ operation: "PutObject", detail: "reset", retryable: true })

describe("an object of an append-only file", () => {
  it(
    "is overwritten only by content that starts with it, and every run stores the whole file",
    { timeout: 300_000 },
    () =>
      fc.assert(
        fc.asyncProperty(fc.array(steps, { minLength: 2, maxLength: 14 }), async (history) => {
          const input = emptyDirectory()
          let answers = 0
          const store = MemoryStore.make({ after: () => (answers-- > 0 ? Effect.void : Effect.fail(lost)) })
          const settings = settingsWith({
            input,
            include: ["**"],
            appendOnly: ["**"],
            stateDir: emptyDirectory(),
            // memory has room for three parts and a compressor
            memoryBytes: 20 * MiB,
            partSizeBytes: 5 * MiB,
            concurrency: ConcurrencyLimit.upTo(2)
          })
          for (const step of [...history, { _tag: "run", answered: Infinity, compress: "none" } as const]) {
            if (step._tag !== "run") {
              change(join(input, step.name), step)
              continue
            }
            answers = step.answered
            const run = (force: boolean) =>
              Effect.runPromise(exportOnce({ ...settings, compress: step.compress, force }, store.layer))
            const { exitCode } = (await run(false)).result
            expect([0, 10, 30, 41]).toContain(exitCode)
            // after lost completions, a run may leave a file to a later one
            if (exitCode === 10 && step.answered === Infinity) expect((await run(true)).result.exitCode).toBe(0)
            for (const [key, versions] of store.versions) {
              versions.map(plain).reduce((before, after) => {
                expect(after.subarray(0, before.length).equals(before), `${key} was overwritten by less`).toBe(true)
                return after
              })
            }
            if (step.answered < Infinity) continue
            for (const each of names) {
              const path = join(input, each)
              if (!existsSync(path)) continue
              const content = readFileSync(path)
              const now = [...store.versions.values()].map((versions) => plain(versions.at(-1)!))
              expect(
                now.some((object) => object.equals(content)),
                `${each} is stored`
              ).toBe(true)
            }
          }
        }),
        { numRuns: Number(process.env["IBSR_TEST_PROPERTY_RUNS"] ?? 150), seed: 20_261_124 }
      )
  )
})

describe("with --no-overwrite, a file", () => {
  const start = () => {
    const input = tree({ "s.jsonl": "a\n" })
    const path = join(input, "s.jsonl")
    makeFinal(path)
    let losesAnswers = false
    const store = MemoryStore.make({
      noOverwrite: true,
      after: () => (losesAnswers ? Effect.fail(lost) : Effect.void)
    })
    const settings = settingsWith({
      input,
      stateDir: emptyDirectory(),
      noOverwrite: true,
      finalOnly: true,
      memoryBytes: 20 * MiB,
      partSizeBytes: 5 * MiB
    })
    /** The exit code, and the keys in the bucket afterwards. */
    const run = (changed: Partial<Settings> = {}) =>
      Effect.map(exportOnce({ ...settings, ...changed }, store.layer), ({ result }) => [
        result.exitCode,
        [...store.versions.keys()].filter((key) => !key.endsWith(OverwriteProtection.markerName))
      ])
    const runWithoutAnswer = () => {
      losesAnswers = true
      return Effect.tap(run(), () => (losesAnswers = false))
    }
    const write = (step: "append" | "replace", content: string) =>
      Effect.sync(() => change(path, { _tag: step, name: "s.jsonl", text: content }))
    return { path, run, runWithoutAnswer, store, write }
  }
  const [first, second] = ["p/s.jsonl", "p/s.g2.jsonl"]

  it.live.each([
    ["grew", "append", "b\n", "new-key"],
    ["grew by more than a part", "append", larger, "new-key"],
    ["was replaced", "replace", "b\n", "new-key"],
    ["was replaced", "replace", "b\n", "overwrite"]
  ] as const)("is stored as its next generation if it %s (%s)", ([, step, content, onReplace]) =>
    Effect.gen(function* () {
      const { path, run, store, write } = start()
      expect(yield* run()).toEqual([0, [first]])
      yield* write(step, content)
      expect(yield* run({ onReplace })).toEqual([0, [first, second]])
      expect(store.versions.get(second)?.map((object) => object.equals(readFileSync(path)))).toEqual([true])
      const requests = store.requests.length
      expect(yield* run({ onReplace })).toEqual([0, [first, second]])
      expect(store.requests).toHaveLength(requests)
    })
  )

  it.live("fails without a request if it changed and --on-replace is fail", () =>
    Effect.gen(function* () {
      const { run, store, write } = start()
      yield* run()
      const requests = store.requests.length
      yield* write("append", "b\n")
      expect(yield* run({ onReplace: "fail" })).toEqual([11, [first]])
      expect(store.requests).toHaveLength(requests)
    })
  )

  it.live.each(["", larger])(
    "is stored as its next generation if the response was lost and the object exists",
    (added) =>
      Effect.gen(function* () {
        const { run, runWithoutAnswer, write } = start()
        yield* write("append", added)
        expect(yield* runWithoutAnswer()).toEqual([30, [first]])
        expect(yield* run({ onReplace: "fail" })).toEqual([11, [first]])
        expect(yield* run()).toEqual([0, [first, second]])
        expect(yield* run()).toEqual([0, [first, second]])
      })
  )

  it.live("goes to the same key with --force, so that a lost object can be stored again", () =>
    Effect.gen(function* () {
      const { run, store } = start()
      yield* run()
      expect(yield* run({ force: true })).toEqual([11, [first]])
      ;(store.versions as Map<string, unknown>).delete(first)
      expect(yield* run({ force: true })).toEqual([0, [first]])
    })
  )

  it.live("fails in each run if it was never sent and its key is taken", () =>
    Effect.gen(function* () {
      const { run } = start()
      yield* run()
      const stateDir = emptyDirectory()
      expect(yield* run({ stateDir })).toEqual([11, [first]])
      expect(yield* run({ stateDir })).toEqual([11, [first]])
    })
  )
})
