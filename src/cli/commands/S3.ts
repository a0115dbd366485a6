/** `ibsr-export s3`: from flags to settings, and from settings to a run. */
import { Command } from "@effect/cli"
import { Effect, Either, Record } from "effect"
import { UsageError } from "../../domain/Errors.ts"
import * as Settings from "../../domain/Settings.ts"
import type { Output } from "../../services/Reporter.ts"
import type { Flag, Parsed } from "../flags/Flag.ts"
import * as Given from "../flags/Given.ts"
import type { LogSettings } from "../Logging.ts"
import * as S3Flags from "../flags/S3Flags.ts"

/** A run, and how to tell of it. */
export interface Invocation {
  readonly settings: Settings.Settings
  readonly output: Output
  readonly log: LogSettings
  /** Where figures of it go. */
  readonly metricsFile: string | undefined
}

/** The flags' values. */
type Values = { readonly [K in keyof typeof S3Flags.s3]: (typeof S3Flags.s3)[K] extends Flag<infer A> ? A : never }

/** The flags' values, or what is wrong with each. */
export type Parsings = Given.Values<typeof S3Flags.s3>

export const make = <E, R>(line: Given.Line, run: (invocation: Invocation) => Effect.Effect<void, E, R>) => {
  const { complete, options } = Given.among(S3Flags.s3, line)
  return Command.make("s3", options, (parsed) => Effect.flatMap(invocation(complete(parsed)), run))
}

/** All problems at once, so that nobody has to try flag by flag. */
export const invocation = (parsed: Parsings): Either.Either<Invocation, UsageError> => {
  const [problems, values] = Record.partitionMap(parsed as Record<string, Parsed<unknown>>, (one) => one)
  const contradictory = contradictions(values as unknown as Partial<Values>)
  return Object.keys(problems).length + contradictory.length > 0
    ? Either.left(new UsageError({ problems: [...Object.values(problems).flat(), ...contradictory] }))
    : Either.mapBoth(Settings.check(settings(values as unknown as Values)), {
        onLeft: (problems) => new UsageError({ problems }),
        onRight: (settings) => ({ settings, ...telling(values as unknown as Values) })
      })
}

/** What would be lost silently on the way to settings. */
const contradictions = ({ kmsContext, kmsKeyId, metadata = [], sse, tag = [] }: Partial<Values>) => {
  const twice = (pairs: Values["tag"]) => new Set(pairs.map(([key]) => key)).size < pairs.length
  return [
    ...((kmsKeyId ?? kmsContext) !== undefined && sse !== "kms"
      ? ["--kms-key-id and --kms-context need --sse kms"]
      : []),
    ...(twice(tag) ? ["--tag: a key is given twice"] : []),
    ...(twice(metadata) ? ["--metadata: a key is given twice"] : [])
  ]
}

const settings = (values: Values): Settings.Settings => ({
  input: values.input,
  target: {
    bucket: values.bucket,
    endpoint: values.endpoint,
    region: values.region,
    forcePathStyle: values.forcePathStyle || undefined,
    profile: values.profile,
    assumeRole:
      values.assumeRoleArn === undefined
        ? undefined
        : { arn: values.assumeRoleArn, sessionName: values.assumeRoleSessionName }
  },
  prefix: values.prefix,
  include: values.include,
  exclude: values.exclude,
  followSymlinks: values.followSymlinks,
  attributes: {
    encryption: encryption(values),
    storageClass: values.storageClass,
    acl: values.acl,
    tags: Object.fromEntries(values.tag),
    metadata: Object.fromEntries(values.metadata),
    noOverwrite: values.noOverwrite
  },
  compress: values.compress,
  appendOnly: values.appendOnly,
  onReplace: values.onReplace,
  force: values.force,
  stateDir: values.stateDir,
  lockWait: values.lockWait,
  concurrency: values.concurrency,
  memoryBytes: values.memory,
  partSizeBytes: values.partSize,
  maxRetries: values.maxRetries,
  timeout: values.timeout,
  giveUpAfter: values.giveUpAfter,
  deadline: values.deadline,
  grace: values.grace,
  finalAfter: values.finalAfter,
  // a live file could be created, and then never be replaced by what it becomes
  finalOnly: values.finalOnly || values.noOverwrite,
  failIfEmpty: values.failIfEmpty,
  dryRun: values.dryRun
})

const encryption = ({ kmsContext, kmsKeyId, sse }: Values): Settings.Encryption => {
  const byMode = {
    none: { _tag: "BucketDefault" },
    s3: { _tag: "S3" },
    kms: { _tag: "Kms", keyId: kmsKeyId, context: kmsContext }
  } as const
  return byMode[sse]
}

const telling = (values: Values) => ({
  output: { format: values.outputFormat, quiet: values.quiet },
  log: { format: values.logFormat, level: values.verbose ? "Debug" : values.quiet ? "Error" : "Info" } as const,
  metricsFile: values.metricsFile
})
