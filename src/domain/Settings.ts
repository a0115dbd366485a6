/** What one run is told to do. */
import { type Duration, Either } from "effect"
import * as Compression from "./Compression.ts"
import type * as ConcurrencyLimit from "./ConcurrencyLimit.ts"
import type { KeyPrefix } from "./ObjectKey.ts"
import * as UploadPlan from "./UploadPlan.ts"

/** Where the objects go, and as whom. Credentials are not here: they come from the standard AWS chain alone. */
export interface Target {
  readonly bucket: string
  readonly endpoint: URL | undefined
  readonly region: string | undefined
  /** Bucket in the path instead of the host name; undefined: where the endpoint is an IP address or localhost. */
  readonly forcePathStyle: boolean | undefined
  readonly profile: string | undefined
  readonly assumeRole: { readonly arn: string; readonly sessionName: string } | undefined
}

/** Server-side encryption. */
export type Encryption =
  | { readonly _tag: "BucketDefault" }
  /** `AES256`, with keys of the store. */
  | { readonly _tag: "S3" }
  | {
      readonly _tag: "Kms"
      readonly keyId: string | undefined
      /** Encryption context. */
      readonly context: Readonly<Record<string, string>> | undefined
    }

/** What every object is stored with. */
export interface ObjectAttributes {
  readonly encryption: Encryption
  readonly storageClass: string | undefined
  readonly acl: string | undefined
  readonly tags: Readonly<Record<string, string>>
  readonly metadata: Readonly<Record<string, string>>
  /** Create only: `If-None-Match: *`. */
  readonly noOverwrite: boolean
}

/** What to do with a file that no longer begins with what is stored under its key. */
export type OnReplace = "new-key" | "overwrite" | "fail"

export interface Settings {
  readonly input: string
  readonly target: Target
  readonly prefix: KeyPrefix
  readonly include: ReadonlyArray<string>
  readonly exclude: ReadonlyArray<string>
  readonly followSymlinks: boolean
  /** Globs of files that only ever grow, so that an object is only overwritten by content that begins with it. */
  readonly appendOnly: ReadonlyArray<string>
  readonly onReplace: OnReplace
  /** Send also what the ledger knows as unchanged. */
  readonly force: boolean
  /** Directory of the ledger. */
  readonly stateDir: string
  /** How long to wait for another run on the same ledger. */
  readonly lockWait: Duration.Duration
  readonly attributes: ObjectAttributes
  readonly compress: Compression.Mode
  /** Requests in flight at once, over files and parts together. */
  readonly concurrency: ConcurrencyLimit.Range
  readonly memoryBytes: number
  readonly partSizeBytes: number
  /** Retries of one request, after its first attempt. */
  readonly maxRetries: number
  /** For one request, from its start to the end of its answer. */
  readonly timeout: Duration.Duration
  /** How long a run goes on while no request goes well. */
  readonly giveUpAfter: Duration.Duration
  /** For the whole run. */
  readonly deadline: Duration.Duration | undefined
  /** What requests in flight get to finish after a signal. */
  readonly grace: Duration.Duration
  /** How long nothing may have been added to a file that is taken for complete. */
  readonly finalAfter: Duration.Duration
  /** Leave files that may still grow to a later run. */
  readonly finalOnly: boolean
  readonly failIfEmpty: boolean
  readonly dryRun: boolean
}

/** Source: "Categorizing your objects using tags" in the Amazon S3 User Guide. */
const maxTags = 10

/** Every field alone is valid; this is what they must hold together. Each problem names its flags. */
export const check = (settings: Settings): Either.Either<Settings, ReadonlyArray<string>> => {
  const problems: Array<string> = []
  if (settings.partSizeBytes > settings.memoryBytes) {
    problems.push("--memory must have room for a part of --part-size: raise one or lower the other")
  }
  const work = Compression.maxWorkBytes(settings.compress)
  if (work > 0 && 3 * settings.partSizeBytes + work > settings.memoryBytes) {
    problems.push(
      `--compress ${settings.compress} takes ${work / 1024 ** 2}MiB of --memory besides three parts of --part-size`
    )
  }
  if (settings.partSizeBytes > UploadPlan.maxPartBytes) problems.push("--part-size: S3 allows at most 5GiB")
  if (Object.keys(settings.attributes.metadata).some((name) => name.toLowerCase() === "ibsr-state"))
    problems.push("--metadata: ibsr-state is written by this program")
  if (Object.keys(settings.attributes.tags).length > maxTags) problems.push(`--tag: S3 allows at most ${maxTags}`)
  return problems.length === 0 ? Either.right(settings) : Either.left(problems)
}
