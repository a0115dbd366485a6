/** `ibsr-export verify`: proves that the uploaded objects are complete and correct. Its result is the exit code. */
import { Effect, Either, type Layer } from "effect"
import { UsageError } from "../../domain/Errors.ts"
import * as ObjectKey from "../../domain/ObjectKey.ts"
import { json } from "../../report/Text.ts"
import * as Verification from "../../report/Verification.ts"
import * as ConfiguredTarget from "../../services/ObjectStore/S3/ConfiguredTarget.ts"
import type { ObjectSource, SourceError } from "../../services/ObjectSource.ts"
import { Stdio } from "../../services/Stdio.ts"
import * as Verify from "../../services/Verify.ts"
import * as Directory from "../../services/Verify/Directory.ts"
import * as Argv from "../flags/Argv.ts"
import type * as Flag from "../flags/Flag.ts"
import * as Values from "../flags/Values.ts"
import { verifyFlags } from "../flags/VerifyFlags.ts"
import { version } from "../Version.ts"

type Flags = Flag.Values<typeof verifyFlags>

export const run = (line: Argv.Line) =>
  Effect.gen(function* () {
    const flags = yield* Argv.values(verifyFlags, line)
    const source = yield* sourceOf(flags, line)
    const verification = yield* Effect.provide(Verify.verify({ ...flags, version }), source)
    yield* print(verification, flags.outputFormat)
    return verification.result.exitCode
  })

const sourceOf = (
  flags: Flags,
  { args, env }: Argv.Line
): Effect.Effect<Layer.Layer<ObjectSource, SourceError>, SourceError | UsageError> =>
  Effect.gen(function* () {
    const [, bucket, path = ""] = /^s3:\/\/([^/]*)(?:\/(.*))?$/s.exec(flags.source) ?? []
    if (bucket === undefined) return Directory.layer(flags.source)
    const problem = (expected: string) => new UsageError({ problems: [`${flags.source}: expected ${expected}`] })
    const name = yield* Either.mapLeft(Values.bucket(bucket), (expected) =>
      problem(`s3://BUCKET/PREFIX, with ${expected}`)
    )
    const prefix = yield* Either.mapLeft(ObjectKey.parsePrefix(path), problem)
    const isEndpointFlag = args.includes(`--${verifyFlags.endpoint.name}`)
    const target = yield* ConfiguredTarget.resolve({ ...flags, isEndpointFlag }, env)
    // loaded on first use, because it loads the SDK
    const Reader = yield* Effect.promise(() => import("../../services/ObjectStore/S3/Reader.ts"))
    return Reader.layer({ ...flags, ...target, bucket: name, prefix }, env)
  })

const print = (verification: Verification.Verification, format: Flags["outputFormat"]) =>
  Effect.map(Stdio, ({ isOneStream, stderr, stdout }) => {
    const severity = verification.result.exitCode === 0 ? "info" : "error"
    const ending = { text: Verification.ending(verification), severity } as const
    if (format === "json") stdout.writeLine({ text: json(verification), severity: "info" })
    else for (const text of Verification.body(verification)) stdout.writeLine({ text, severity: "info" })
    if (format === "text") stdout.writeLine(ending)
    // also on stderr, because a log or a mail may contain only stderr
    if (format === "json" || (severity === "error" && !isOneStream)) stderr.writeLine(ending)
  })
