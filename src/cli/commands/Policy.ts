/** `ibsr-export policy`: prints the minimum permission that an upload with these flags needs. */
import { Effect } from "effect"
import { UsageError } from "../../domain/Errors.ts"
import * as Policy from "../../policy/Policy.ts"
import * as HostIdentity from "../../services/HostIdentity.ts"
import { printToStdout } from "../../services/Stdio.ts"
import * as Argv from "../flags/Argv.ts"
import { policyFlags } from "../flags/PolicyFlags.ts"
import { leftToTheRun, s3Flags } from "../flags/S3Flags.ts"
import * as S3 from "./S3.ts"

const flags = { ...policyFlags, ...s3Flags, input: leftToTheRun(s3Flags.input) }

export const run = (line: Argv.Line) =>
  Effect.gen(function* () {
    const { abort, kind, ...values } = yield* Argv.values(flags, line)
    const settings = yield* S3.check(values)
    const prefix = yield* HostIdentity.resolvePrefix(settings.prefix, line.env)
    const options = { ...settings, prefix, abort }
    const problems = Policy.problems(kind, options)
    if (problems.length > 0) return yield* new UsageError({ problems })
    yield* printToStdout(Policy.kinds[kind].text(options))
    return 0
  })
