/** `ibsr-export check`: prints whether an upload with these flags would work. Its result is the exit code. */
import { Duration, Effect, Either, Option } from "effect"
import * as Check from "../../report/Check.ts"
import { json } from "../../report/Text.ts"
import * as HostIdentity from "../../services/HostIdentity.ts"
import * as ConfiguredTarget from "../../services/ObjectStore/S3/ConfiguredTarget.ts"
import { printToStdout } from "../../services/Stdio.ts"
import * as CurrentDirectory from "../CurrentDirectory.ts"
import * as Argv from "../flags/Argv.ts"
import { checkFlags } from "../flags/CheckFlags.ts"
import { s3Flags } from "../flags/S3Flags.ts"
import { version } from "../Version.ts"
import * as S3 from "./S3.ts"

/** Limits that are shorter than those of a run, because a person is waiting for the result. */
const timeout = Duration.seconds(4)

export const run = (line: Argv.Line) =>
  Effect.gen(function* () {
    const { noCanary, ...values } = yield* Argv.values({ ...checkFlags, ...s3Flags }, line)
    const checked = yield* S3.check(values)
    const prefix = yield* HostIdentity.resolvePrefix(checked.prefix, line.env)
    const given = { ...checked, prefix, timeout }
    yield* CurrentDirectory.check(given)
    const isEndpointFlag = line.args.includes(`--${s3Flags.endpoint.name}`)
    const target = yield* Effect.either(ConfiguredTarget.resolve({ ...given, isEndpointFlag }, line.env))
    const settings = {
      ...given,
      ...Either.getOrElse(target, () => ({})),
      canary: !noCanary,
      origins: origins(line)
    }
    const [service, probe] = yield* Effect.promise(() =>
      Promise.all([import("../../services/Check.ts"), import("../../services/ObjectStore/S3/Probe.ts")])
    )
    const origin = { hostname: HostIdentity.hostname(), version }
    const store = probe.layer({ ...settings, noOverwrite: false }, line.env, origin)
    const result = yield* service.run(settings, Option.getOrUndefined(Either.getLeft(target)), store)
    yield* printToStdout(values.outputFormat === "json" ? json(result) : Check.text(result))
    return result.result.code
  })

/** Returns where the values come from that determine what is uploaded, and to which place. */
const origins = ({ args, env }: Argv.Line) =>
  (["input", "bucket", "prefix", "endpoint", "profile"] as const).flatMap((field) => {
    const { env: variables, name } = s3Flags[field]
    if (args.includes(`--${name}`)) return [`${name} from --${name}`]
    const variable = variables.find((each) => env[each])
    return variable === undefined ? [] : [`${name} from ${variable}`]
  })
