/** The flags, in the order of `--help`. One constant each, so as long as the command line is. */
import { hostname } from "node:os"
import process from "node:process"
import * as ObjectKey from "../../domain/ObjectKey.ts"
import * as Size from "../../domain/Size.ts"
import * as DurationText from "../../domain/DurationText.ts"
import * as UploadPlan from "../../domain/UploadPlan.ts"
import * as Flag from "./Flag.ts"
import * as StateDir from "../StateDir.ts"
import * as Values from "./Values.ts"

const what = "What is uploaded"
const where = "Where it goes"
const how = "How it is stored"
const memoryOfRuns = "What is remembered"
const limits = "Limits"
const output = "Output"

export const input = Flag.required({
  name: "input",
  group: what,
  value: "DIR",
  description: "directory to upload",
  parse: Values.directory
})

export const include = Flag.repeated({
  name: "include",
  group: what,
  value: "GLOB",
  description: "upload files whose path below --input matches; repeatable",
  default: "**/*.jsonl",
  parse: Values.path
})

export const exclude = Flag.repeated({
  name: "exclude",
  group: what,
  value: "GLOB",
  description: "but not those that match this; repeatable, and stronger than --include",
  parse: Values.path
})

export const followSymlinks = Flag.toggle({
  name: "follow-symlinks",
  group: what,
  description: "follow symbolic links; otherwise they are skipped and counted"
})

export const finalOnly = Flag.toggle({
  name: "final-only",
  group: what,
  description: "leave files that may still grow to a later run"
})

export const finalAfter = Flag.withDefault({
  name: "final-after",
  group: what,
  value: "DURATION",
  description: "a file is final so long after the UTC hour in its name, or, without one, after its last change",
  // the collector writes once a minute
  default: "2m",
  parse: DurationText.parse
})

export const failIfEmpty = Flag.toggle({
  name: "fail-if-empty",
  group: what,
  description: "fail if no file is selected"
})

export const dryRun = Flag.toggle({
  name: "dry-run",
  group: what,
  description: "print what would be uploaded, and send nothing"
})

export const bucket = Flag.required({
  name: "bucket",
  group: where,
  value: "NAME",
  description: "bucket to upload to",
  parse: Values.bucket
})

export const prefix = Flag.withDefault({
  name: "prefix",
  group: where,
  value: "PREFIX",
  description: "keys are PREFIX/<path below --input>; slashes around it do not matter, '/' is the bucket's root",
  // the host keeps the files of several hosts apart in one bucket
  default: `ibsr/${hostname()}/snapshots`,
  shownDefault: "ibsr/<hostname>/snapshots",
  parse: ObjectKey.parsePrefix
})

export const endpoint = Flag.optional({
  name: "endpoint",
  group: where,
  value: "URL",
  description: "store other than AWS, such as MinIO or Cloudflare R2",
  env: ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"],
  parse: Values.endpoint
})

export const region = Flag.optional({
  name: "region",
  group: where,
  value: "REGION",
  description: "region of the bucket; else the profile's, and us-east-1 with --endpoint",
  env: ["AWS_REGION", "AWS_DEFAULT_REGION"],
  parse: Values.text
})

export const forcePathStyle = Flag.toggle({
  name: "force-path-style",
  group: where,
  description: "put the bucket into the path, not the host name; on anyway if --endpoint is an IP address or localhost"
})

export const profile = Flag.optional({
  name: "profile",
  group: where,
  value: "NAME",
  description: "profile of the AWS configuration files",
  env: ["AWS_PROFILE"],
  parse: Values.text
})

export const assumeRoleArn = Flag.optional({
  name: "assume-role-arn",
  group: where,
  value: "ARN",
  description: "role to assume with the credentials found",
  parse: Values.text
})

export const assumeRoleSessionName = Flag.withDefault({
  name: "assume-role-session-name",
  group: where,
  value: "NAME",
  description: "name of that session, as the bucket's owner sees it in logs",
  default: "ibsr-export",
  parse: Values.text
})

export const sse = Flag.withDefault({
  name: "sse",
  group: how,
  value: "MODE",
  description: "server-side encryption: none (the bucket's own default applies), s3, or kms",
  default: "none",
  parse: Values.choice("none", "s3", "kms")
})

export const kmsKeyId = Flag.optional({
  name: "kms-key-id",
  group: how,
  value: "ID",
  description: "key for --sse kms; needs kms:GenerateDataKey, and kms:Decrypt for files of several parts",
  parse: Values.text
})

export const kmsContext = Flag.optional({
  name: "kms-context",
  group: how,
  value: "JSON",
  description: "encryption context for --sse kms, as a JSON object of strings",
  parse: Values.jsonStrings
})

export const storageClass = Flag.optional({
  name: "storage-class",
  group: how,
  value: "CLASS",
  description: "such as STANDARD_IA; needs no further permission",
  parse: Values.text
})

export const tag = Flag.repeated({
  name: "tag",
  group: how,
  value: "KEY=VALUE",
  description: "object tag; repeatable up to ten times; needs s3:PutObjectTagging",
  parse: Values.tag
})

export const metadata = Flag.repeated({
  name: "metadata",
  group: how,
  value: "KEY=VALUE",
  description: "user-defined metadata; repeatable; needs no further permission",
  parse: Values.metadata
})

export const acl = Flag.optional({
  name: "acl",
  group: how,
  value: "CANNED",
  description: "canned ACL, such as bucket-owner-full-control; needs s3:PutObjectAcl",
  parse: Values.choice(
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control"
  )
})

export const compress = Flag.withDefault({
  name: "compress",
  group: how,
  value: "FORMAT",
  description: "none, zstd (keys end in .zst), or gzip (.gz); files that are compressed already are stored as they are",
  // objects that anybody can read as they are
  default: "none",
  parse: Values.choice("none", "zstd", "gzip")
})

export const noOverwrite = Flag.toggle({
  name: "no-overwrite",
  group: how,
  description: "only create objects (If-None-Match: *); one that exists is a failure; implies --final-only"
})

export const stateDir = Flag.withDefault({
  name: "state-dir",
  group: memoryOfRuns,
  value: "DIR",
  description: "where the ledger of what was stored lies; on a local disk, outside of --input; one run at a time",
  default: StateDir.fallback(process.env),
  shownDefault: "$STATE_DIRECTORY, else $XDG_STATE_HOME/ibsr-export, else ~/.local/state/ibsr-export",
  parse: Values.directory
})

export const force = Flag.toggle({
  name: "force",
  group: memoryOfRuns,
  description: "send also what the ledger knows as unchanged"
})

export const appendOnly = Flag.repeated({
  name: "append-only",
  group: memoryOfRuns,
  value: "GLOB",
  description:
    "files that only ever grow: an object is never overwritten by content that does not contain it; repeatable",
  default: "**/*.jsonl",
  parse: Values.path
})

export const onReplace = Flag.withDefault({
  name: "on-replace",
  group: memoryOfRuns,
  value: "MODE",
  description:
    "when such a file was truncated or recreated: new-key (stored as NAME.g2.jsonl, then g3 …), overwrite, or fail",
  default: "new-key",
  parse: Values.choice("new-key", "overwrite", "fail")
})

export const lockWait = Flag.withDefault({
  name: "lock-wait",
  group: memoryOfRuns,
  value: "DURATION",
  description: "how long to wait for another run on the same ledger to end",
  default: "0s",
  parse: DurationText.parse
})

export const concurrency = Flag.withDefault({
  name: "concurrency",
  group: limits,
  value: "N|auto",
  description:
    "most requests in flight at once, over files and parts together; 1 to 1024, or auto: 128 at first, 512 at most",
  // see domain/Concurrency
  default: "auto",
  parse: Values.concurrency(1024)
})

export const memory = Flag.withDefault({
  name: "memory",
  group: limits,
  value: "SIZE",
  description: "bytes of file content held at once, whatever the concurrency; at least 5MiB",
  default: "64MiB",
  parse: Values.atLeast(UploadPlan.minMemoryBytes, "5MiB", Size.parse)
})

export const partSize = Flag.withDefault({
  name: "part-size",
  group: limits,
  value: "SIZE",
  description: "larger files are sent in parts of this size; at least 5MiB, and --memory at most",
  default: "8MiB",
  parse: Values.atLeast(UploadPlan.minPartBytes, "5MiB", Size.parse)
})

export const maxRetries = Flag.withDefault({
  name: "max-retries",
  group: limits,
  value: "N",
  description: "retries of one request; 0 to 100",
  // with the pauses between them about half a minute
  default: "8",
  parse: Values.integer(0, 100)
})

export const timeout = Flag.withDefault({
  name: "timeout",
  group: limits,
  value: "DURATION",
  description: "for one request, from its start to the end of its answer",
  // a part of 8 MiB then needs 1.1 Mbit/s
  default: "60s",
  parse: DurationText.positive
})

export const giveUpAfter = Flag.withDefault({
  name: "give-up-after",
  group: limits,
  value: "DURATION",
  description: "the run ends when no request went well for so long",
  // longer than a store takes to restart, and than a dead connection goes unnoticed
  default: "5m",
  parse: DurationText.positive
})

export const deadline = Flag.optional({
  name: "deadline",
  group: limits,
  value: "DURATION",
  description: "for the whole run, which then ends at once",
  parse: DurationText.positive
})

export const grace = Flag.withDefault({
  name: "grace",
  group: limits,
  value: "DURATION",
  description: "after a signal, or a failure that ends the run, what requests in flight get to finish",
  // well below the 90 s after which systemd kills
  default: "20s",
  parse: DurationText.parse
})

export const outputFormat = Flag.withDefault({
  name: "output",
  group: output,
  value: "FORMAT",
  description: "of the report on stdout: text or json",
  default: "text",
  parse: Values.choice("text", "json")
})

export const quiet = Flag.toggle({
  name: "quiet",
  group: output,
  description: "print nothing if all went well, and ledger, encryption, clock and metrics are as they should be"
})

export const verbose = Flag.toggle({
  name: "verbose",
  group: output,
  description: "log every file and every retry"
})

export const logFormat = Flag.withDefault({
  name: "log-format",
  group: output,
  value: "FORMAT",
  description: "of the log on stderr: pretty, logfmt, json, or auto (pretty on a terminal, else logfmt)",
  default: "auto",
  parse: Values.choice("auto", "pretty", "logfmt", "json")
})

export const metricsFile = Flag.optional({
  name: "metrics-file",
  group: output,
  value: "FILE",
  description:
    "write figures of the run for Prometheus' node_exporter, which reads files named *.prom; not with --dry-run",
  parse: Values.file
})

/** Those of `s3`, by the name of what they become. */
export const s3 = {
  input,
  include,
  exclude,
  followSymlinks,
  finalOnly,
  finalAfter,
  failIfEmpty,
  dryRun,
  bucket,
  prefix,
  endpoint,
  region,
  forcePathStyle,
  profile,
  assumeRoleArn,
  assumeRoleSessionName,
  sse,
  kmsKeyId,
  kmsContext,
  storageClass,
  tag,
  metadata,
  acl,
  compress,
  noOverwrite,
  stateDir,
  force,
  appendOnly,
  onReplace,
  lockWait,
  concurrency,
  memory,
  partSize,
  maxRetries,
  timeout,
  giveUpAfter,
  deadline,
  grace,
  outputFormat,
  quiet,
  verbose,
  logFormat,
  metricsFile
}

export const statusOutput = Flag.withDefault({
  name: "output",
  group: output,
  value: "FORMAT",
  description: "text, json, or nagios: one line with performance data, and the exit code of a Nagios plugin",
  default: "text",
  parse: Values.choice("text", "json", "nagios")
})

export const warning = Flag.withDefault({
  name: "warning",
  group: output,
  value: "DURATION",
  description: "with --output nagios: WARNING if the last success is longer ago",
  // a run each hour, and one that failed
  default: "2h",
  parse: DurationText.positive
})

export const critical = Flag.withDefault({
  name: "critical",
  group: output,
  value: "DURATION",
  description: "with --output nagios: CRITICAL if the last success is longer ago",
  // a quarter of the day for which the collector keeps a snapshot
  default: "6h",
  parse: DurationText.positive
})

export const onlyBucket = Flag.optional({
  name: "bucket",
  group: where,
  value: "NAME",
  description: "tell only of this bucket; a ledger remembers also those that are not used any more",
  parse: Values.bucket
})

export const onlyPrefix = Flag.optional({
  name: "prefix",
  group: where,
  value: "PREFIX",
  description: "tell only of this prefix",
  parse: ObjectKey.parsePrefix
})

/** Those of `status`. */
export const status = { stateDir, onlyBucket, onlyPrefix, outputFormat: statusOutput, warning, critical }
