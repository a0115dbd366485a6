/** The settings of one run: the value of each flag of `s3`, named like its entry in `cli/flags/S3Flags.ts`. */
import { type Duration, Either } from "effect"
import * as Compression from "./Compression.ts"
import type * as ConcurrencyLimit from "./ConcurrencyLimit.ts"
import type { KeyPrefix, PrefixTemplate } from "./ObjectKey.ts"
import * as ObjectMetadata from "./ObjectMetadata.ts"
import * as UploadPlan from "./UploadPlan.ts"

/** Where objects go, and with which identity. Credentials come from the standard AWS chain, never from settings. */
export interface Target {
  readonly bucket: string
  readonly endpoint: URL | undefined
  readonly region: string | undefined
  /** Whether the URL has the bucket in its path instead of the host name; undefined: as the provider requires. */
  readonly forcePathStyle: boolean | undefined
  readonly profile: string | undefined
  readonly assumeRoleArn: string | undefined
  readonly assumeRoleSessionName: string
}

/** Stored with every object. */
export interface ObjectAttributes {
  /** Server-side encryption: the bucket's default, keys of the store (`AES256`), or keys of its KMS. */
  readonly sse: "none" | "s3" | "kms"
  /** Only with `kms`; undefined for the bucket's key. */
  readonly kmsKeyId: string | undefined
  /** Encryption context; only with `kms`. */
  readonly kmsContext: Readonly<Record<string, string>> | undefined
  readonly storageClass: string | undefined
  readonly tags: Readonly<Record<string, string>>
  readonly metadata: Readonly<Record<string, string>>
  readonly acl: string | undefined
  /** Only create objects: `If-None-Match: *`. */
  readonly noOverwrite: boolean
}

/** How a run reports its work. */
export interface Reporting {
  /** Format of the report on stdout. */
  readonly outputFormat: "text" | "json"
  /** Print nothing if the run has no failure and no warning. */
  readonly quiet: boolean
  readonly verbose: boolean
  /** Format of the log on stderr. */
  readonly logFormat: "auto" | "pretty" | "logfmt" | "json"
  /** The file that the run writes its metrics to, for Prometheus. */
  readonly metricsFile: string | undefined
  /** The service to tell about the start and the end of the run. */
  readonly ping: URL | undefined
}

/** How to treat a file that no longer begins with the content stored under its key. */
export type OnReplace = "new-key" | "overwrite" | "fail"

/** `Prefix` is a `PrefixTemplate` until the names of the host are known. */
export interface Settings<Prefix = KeyPrefix> extends Target, ObjectAttributes, Reporting {
  readonly input: string
  readonly include: ReadonlyArray<string>
  readonly exclude: ReadonlyArray<string>
  readonly followSymlinks: boolean
  /** Do not upload files that may still grow: a later run uploads them. */
  readonly finalOnly: boolean
  /** How long after the UTC hour in its name a file is final. Without an hour in the name, its last change counts. */
  readonly finalAfter: Duration.Duration
  /** How long the collector keeps a snapshot after the start of its hour. If undefined, the run estimates it. */
  readonly retention: Duration.Duration | undefined
  readonly failIfEmpty: boolean
  /** A run fails if no selected file has changed for this long. */
  readonly staleAfter: Duration.Duration | undefined
  readonly dryRun: boolean
  readonly prefix: Prefix
  readonly compress: Compression.Mode
  /** `--overwrite` was given. It has no effect, because overwriting is the default. */
  readonly overwrite: boolean
  /** Store a manifest of each directory in which something changed. */
  readonly manifest: boolean
  /** The file that the run writes all manifests to. */
  readonly manifestFile: string | undefined
  /** Directory of the ledger. */
  readonly stateDir: string
  /** Also send files that are unchanged according to the ledger. */
  readonly force: boolean
  /** Globs of files that only grow: their objects are replaced only by content that begins with the stored content. */
  readonly appendOnly: ReadonlyArray<string>
  readonly onReplace: OnReplace
  /** How long to wait for another run on the same ledger. */
  readonly lockWait: Duration.Duration
  /** Requests in flight at once, over files and parts together. */
  readonly concurrency: ConcurrencyLimit.Range
  readonly memoryBytes: number
  readonly partSizeBytes: number
  /** Retries of one request, after its first attempt. */
  readonly maxRetries: number
  /** Time limit of one request without progress. */
  readonly timeout: Duration.Duration
  /** The run ends when no request has succeeded for this long. */
  readonly giveUpAfter: Duration.Duration
  /** Time limit of the whole run. */
  readonly deadline: Duration.Duration | undefined
  /** How long requests in flight may continue after a signal. */
  readonly grace: Duration.Duration
}

/** The values of the flags before `make` adds the values that they imply. */
export interface FlagValues extends Omit<Settings<PrefixTemplate>, "sse"> {
  readonly sse: Settings["sse"] | undefined
}

/** Source: "Categorizing your objects using tags" in the Amazon S3 User Guide. */
const maxTags = 10

/**
 * Builds settings from valid values. Adds the values that one flag implies for another, then checks combinations. Each
 * problem names its flags.
 */
export const make = (values: FlagValues): Either.Either<Settings<PrefixTemplate>, ReadonlyArray<string>> => {
  const {
    compress,
    finalOnly,
    kmsContext,
    kmsKeyId,
    manifest,
    memoryBytes,
    metadata,
    noOverwrite,
    overwrite,
    partSizeBytes,
    tags
  } = values
  const sse = values.sse ?? (kmsKeyId === undefined ? "none" : "kms")
  const problems: Array<string> = []
  if ((kmsKeyId ?? kmsContext) !== undefined && sse !== "kms") {
    problems.push("--kms-key-id and --kms-context need --sse kms")
  }
  if (overwrite && noOverwrite) problems.push("--overwrite and --no-overwrite contradict each other: give one of them")
  if (manifest && noOverwrite) problems.push("--manifest replaces its objects, which --no-overwrite forbids")
  if (partSizeBytes > memoryBytes) {
    problems.push("--memory must have room for a part of --part-size: raise --memory or lower --part-size")
  }
  const work = Compression.maxWorkBytes(compress)
  if (work > 0 && 3 * partSizeBytes + work > memoryBytes) {
    problems.push(
      `--compress ${compress} needs ${work / 1024 ** 2}MiB of --memory in addition to three parts of --part-size`
    )
  }
  if (partSizeBytes > UploadPlan.maxPartBytes) problems.push("--part-size: S3 allows at most 5GiB")
  for (const name of ObjectMetadata.reserved) {
    if (Object.keys(metadata).some((given) => given.toLowerCase() === name)) {
      problems.push(`--metadata: this program sets ${name}`)
    }
  }
  if (Object.keys(tags).length > maxTags) problems.push(`--tag: S3 allows at most ${maxTags}`)
  return problems.length === 0
    ? // without overwriting, the object of a live file could never be replaced by its final content
      Either.right({ ...values, sse, finalOnly: finalOnly || noOverwrite })
    : Either.left(problems)
}
