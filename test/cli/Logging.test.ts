import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Logging from "../../src/cli/Logging.ts"
import type { Reporting } from "../../src/domain/Settings.ts"
import { Stdio } from "../../src/services/Stdio.ts"
import { nullStream, recordingStream } from "../fixtures/Stdio.ts"

/** The lines on stderr for one entry of each level. */
const logged = (logFormat: Reporting["logFormat"], isJournal: boolean, verbose = true, quiet = false) =>
  Effect.gen(function* () {
    const stderr = recordingStream(isJournal)
    yield* Effect.logError("down").pipe(
      Effect.zipRight(Effect.annotateLogs(Effect.logWarning("failed"), { file: "a b\n<3>c" })),
      Effect.zipRight(Effect.logInfo("well")),
      Effect.zipRight(Effect.logDebug("detail")),
      Effect.provide(
        Layer.provide(
          Logging.layer({ logFormat, quiet, verbose }),
          Layer.succeed(Stdio, { stdout: nullStream, stderr, isOneStream: false })
        )
      )
    )
    return stderr.written.join("").trimEnd().split("\n")
  })

describe("the log in the journal", () => {
  it.effect.each(["auto", "logfmt", "pretty"] as const)(
    "has a priority on each line, no timestamp, and one line per entry: %s",
    (format) =>
      Effect.gen(function* () {
        expect(yield* logged(format, true)).toEqual([
          "<3>level=ERROR message=down",
          `<4>level=WARN message=failed file="a b\\n<3>c"`,
          "<6>level=INFO message=well",
          "<7>level=DEBUG message=detail"
        ])
      })
  )

  it.effect("is JSON after the priority with --log-format json", () =>
    Effect.gen(function* () {
      const [first = ""] = yield* logged("json", true)
      expect(first.slice(0, 3)).toBe("<3>")
      const entry: unknown = JSON.parse(first.slice(3))
      expect(entry).toMatchObject({ message: "down", logLevel: "ERROR" })
      expect(entry).not.toHaveProperty("timestamp")
    })
  )
})

describe("the log outside the journal", () => {
  it.effect.each(["auto", "logfmt", "json"] as const)("has timestamps and no priorities: %s", (format) =>
    Effect.gen(function* () {
      const lines = yield* logged(format, false, false)
      expect(lines).toHaveLength(3)
      for (const line of lines) expect(line).toMatch(/^(?:timestamp=|\{.*"timestamp":)/)
    })
  )

  it.effect.each([
    [false, false, 3],
    [true, false, 4],
    [false, true, 1],
    [true, true, 4]
  ] as const)(
    "given --verbose %s and --quiet %s, shows %i of the four levels from error to debug",
    ([verbose, quiet, count]) =>
      Effect.gen(function* () {
        expect(yield* logged("logfmt", false, verbose, quiet)).toHaveLength(count)
      })
  )
})
