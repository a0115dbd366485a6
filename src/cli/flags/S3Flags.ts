/**
 * The flags of `s3`, in the order of `--help`. A flag is one entry, named like its field in `Settings`. The file is long
 * because there are many flags.
 */
import { Either } from "effect"
import * as DurationText from "../../domain/DurationText.ts"
import * as Endpoint from "../../domain/Endpoint.ts"
import * as Placeholder from "../../domain/Placeholder.ts"
import * as Selection from "../../domain/Selection.ts"
import type { FlagValues } from "../../domain/Settings.ts"
import * as Size from "../../domain/Size.ts"
import * as UploadPlan from "../../domain/UploadPlan.ts"
import * as StateDir from "../StateDir.ts"
import * as Flag from "./Flag.ts"
import * as Values from "./Values.ts"

const what = "What is uploaded"
export const where = "Where it goes"
const how = "How it is stored"
const ledger = "What is remembered"
const limits = "Limits"
export const output = "Output"

/** Makes a required flag optional for commands that only print what a run will do. The run itself requires the flag. */
export const leftToTheRun = (flag: Flag.Flag<string>): Flag.Flag<string> => ({
  ...flag,
  absent: () => Either.right("")
})

export const s3Flags: Flag.Flags<FlagValues> = {
  input: Flag.required({
    name: "input",
    group: what,
    value: "DIR",
    description: "directory to upload",
    parse: Values.directory
  }),
  include: Flag.repeated({
    name: "include",
    group: what,
    value: "GLOB",
    description: "upload only files that match: by name or, with a slash, by path below --input; repeatable",
    default: "*.jsonl",
    parse: Selection.parseGlob
  }),
  exclude: Flag.repeated({
    name: "exclude",
    group: what,
    value: "GLOB",
    description: "skip files that match, even if --include matches them; repeatable",
    parse: Selection.parseGlob
  }),
  followSymlinks: Flag.toggle({
    name: "follow-symlinks",
    group: what,
    description: "follow symbolic links; otherwise they are skipped and counted"
  }),
  finalOnly: Flag.toggle({
    name: "final-only",
    group: what,
    description: "leave files that may still grow to a later run"
  }),
  finalAfter: Flag.withDefault({
    name: "final-after",
    group: what,
    value: "DURATION",
    description: "a file is final this long after the UTC hour in its name or, without one, after its last change",
    // long enough for the last line, because the collector writes once a minute
    default: "2m",
    parse: DurationText.parse
  }),
  retention: Flag.optional({
    name: "retention",
    group: what,
    value: "DURATION",
    description:
      "how long the collector keeps a snapshot (its --max-age); by default learned from the files, and 24h until it is known",
    parse: DurationText.positive
  }),
  failIfEmpty: Flag.toggle({
    name: "fail-if-empty",
    group: what,
    description: "fail if no file is selected"
  }),
  staleAfter: Flag.optional({
    name: "stale-after",
    group: what,
    value: "DURATION",
    description:
      "exit with 45 if no selected file has changed for this long, for example because the collector is down",
    parse: DurationText.positive
  }),
  dryRun: Flag.toggle({
    name: "dry-run",
    group: what,
    description: "print what would be uploaded, and send nothing"
  }),
  bucket: Flag.required({
    name: "bucket",
    group: where,
    value: "NAME",
    description: "bucket to upload to",
    parse: Values.bucket
  }),
  prefix: Flag.withDefault({
    name: "prefix",
    group: where,
    value: "PREFIX",
    description:
      "keys are PREFIX/<path below --input>; slashes at its ends are ignored, '/' is the bucket's root; {hostname}, {machine-id} and {instance-id} (EC2) stand for names of this host",
    // keeps the files of several hosts apart in one bucket
    default: "ibsr/{hostname}/snapshots",
    parse: Placeholder.parse
  }),
  endpoint: Flag.optional({
    name: "endpoint",
    group: where,
    value: "URL",
    description: "a store other than AWS, such as MinIO or Cloudflare R2; otherwise the profile's endpoint_url",
    env: ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"],
    parse: Endpoint.parse
  }),
  region: Flag.optional({
    name: "region",
    group: where,
    value: "REGION",
    description: "region of the bucket; otherwise the profile's, or us-east-1 with --endpoint",
    env: ["AWS_REGION", "AWS_DEFAULT_REGION"],
    parse: Values.region
  }),
  forcePathStyle: Flag.choice({
    name: "force-path-style",
    group: where,
    description: "yes: the bucket is in the path of the URL; no: in the host name; by default as the provider requires"
  }),
  profile: Flag.optional({
    name: "profile",
    group: where,
    value: "NAME",
    description: "profile of the AWS configuration files",
    // the AWS CLI defines the second variable; if both are set, the first takes precedence, as in the AWS SDKs
    env: ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"],
    parse: Values.headerText
  }),
  assumeRoleArn: Flag.optional({
    name: "assume-role-arn",
    group: where,
    value: "ARN",
    description: "role to assume with the credentials found",
    parse: Values.headerText
  }),
  assumeRoleSessionName: Flag.withDefault({
    name: "assume-role-session-name",
    group: where,
    value: "NAME",
    description: "name of the session, as the bucket's owner sees it in logs",
    default: "ibsr-export",
    parse: Values.headerText
  }),
  sse: Flag.optional({
    name: "sse",
    group: how,
    value: "MODE",
    description:
      "server-side encryption: none (the bucket's default applies), s3, or kms; by default kms with --kms-key-id, else none",
    parse: Values.choice("none", "s3", "kms")
  }),
  kmsKeyId: Flag.optional({
    name: "kms-key-id",
    group: how,
    value: "ID",
    description: "key for --sse kms; needs kms:GenerateDataKey, and kms:Decrypt for multipart uploads",
    parse: Values.headerText
  }),
  kmsContext: Flag.optional({
    name: "kms-context",
    group: how,
    value: "JSON",
    description: "encryption context for --sse kms, as a JSON object of strings",
    parse: Values.jsonStrings
  }),
  storageClass: Flag.optional({
    name: "storage-class",
    group: how,
    value: "CLASS",
    description: "storage class, such as STANDARD_IA; needs no further permission",
    parse: Values.headerText
  }),
  tags: Flag.record({
    name: "tag",
    group: how,
    value: "KEY=VALUE",
    description: "object tag; repeatable up to ten times; needs s3:PutObjectTagging",
    parse: Values.tag
  }),
  metadata: Flag.record({
    name: "metadata",
    group: how,
    value: "KEY=VALUE",
    description: "user-defined metadata; repeatable; needs no further permission",
    parse: Values.metadata
  }),
  acl: Flag.optional({
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
  }),
  compress: Flag.withDefault({
    name: "compress",
    group: how,
    value: "FORMAT",
    description: "none, zstd (keys end in .zst), or gzip (.gz); files that are already compressed are stored unchanged",
    // no compression, so that readers need no decompressor
    default: "none",
    parse: Values.choice("none", "zstd", "gzip")
  }),
  noOverwrite: Flag.toggle({
    name: "no-overwrite",
    group: how,
    description:
      "only create objects (If-None-Match: *): a changed file goes to a new key, and an existing object unknown to the ledger is a failure; implies --final-only"
  }),
  manifest: Flag.toggle({
    name: "manifest",
    group: how,
    description:
      "store upload-manifest.json, which says what the bucket holds, in each directory that changed; not with --no-overwrite"
  }),
  overwrite: Flag.toggle({
    name: "overwrite",
    group: how,
    description: "has no effect: a newer version of a file replaces the older version, unless --no-overwrite is given",
    // no variable, because IBSR_EXPORT_OVERWRITE=false would seem to forbid overwriting
    env: []
  }),
  stateDir: Flag.withDefault({
    name: "state-dir",
    group: ledger,
    value: "DIR",
    description: "directory of the ledger; on a local disk, outside --input; one run at a time",
    default: {
      shown: "$STATE_DIRECTORY, else $XDG_STATE_HOME/ibsr-export, else ~/.local/state/ibsr-export",
      of: StateDir.fallback
    },
    parse: Values.directory
  }),
  force: Flag.toggle({
    name: "force",
    group: ledger,
    description: "also send files that are unchanged according to the ledger"
  }),
  appendOnly: Flag.repeated({
    name: "append-only",
    group: ledger,
    value: "GLOB",
    description: "files that only grow: new content must begin with the content of the old object; repeatable",
    default: "*.jsonl",
    parse: Selection.parseGlob
  }),
  onReplace: Flag.withDefault({
    name: "on-replace",
    group: ledger,
    value: "MODE",
    description:
      "if an --append-only file was truncated or recreated: new-key (NAME.g2.jsonl, then g3 …), overwrite, or fail",
    default: "new-key",
    parse: Values.choice("new-key", "overwrite", "fail")
  }),
  lockWait: Flag.withDefault({
    name: "lock-wait",
    group: ledger,
    value: "DURATION",
    description: "how long to wait for another run that uses the same ledger",
    default: "0s",
    parse: DurationText.parse
  }),
  concurrency: Flag.withDefault({
    name: "concurrency",
    group: limits,
    value: "N|auto",
    description:
      "maximum number of requests in flight, over files and parts together; 1 to 1024, or auto: starts at 128, at most 512",
    // domain/ConcurrencyLimit explains the figures
    default: "auto",
    parse: Values.concurrency(1024)
  }),
  memoryBytes: Flag.withDefault({
    name: "memory",
    group: limits,
    value: "SIZE",
    description: "maximum file content in memory, whatever the concurrency; at least 5MiB",
    default: "64MiB",
    parse: Values.atLeast(UploadPlan.minMemoryBytes, "5MiB", Size.parse)
  }),
  partSizeBytes: Flag.withDefault({
    name: "part-size",
    group: limits,
    value: "SIZE",
    description: "larger files are sent in parts of this size; at least 5MiB, at most --memory",
    default: "8MiB",
    parse: Values.atLeast(UploadPlan.minPartBytes, "5MiB", Size.parse)
  }),
  maxRetries: Flag.withDefault({
    name: "max-retries",
    group: limits,
    value: "N",
    description: "retries of one request; 0 to 100",
    // eight retries take about half a minute, including the pauses
    default: "8",
    parse: Values.integer(0, 100)
  }),
  timeout: Flag.withDefault({
    name: "timeout",
    group: limits,
    value: "DURATION",
    description:
      "time limit of a request without progress; in total, a request may take this long plus a second per 8 KiB; --timeout-sec N means Ns",
    // a store may need tens of seconds to complete a large object
    default: "60s",
    parse: DurationText.positive
  }),
  giveUpAfter: Flag.withDefault({
    name: "give-up-after",
    group: limits,
    value: "DURATION",
    description: "end the run if no request has succeeded for this long",
    // longer than a store's restart, and longer than it takes to detect a dead connection
    default: "5m",
    parse: DurationText.positive
  }),
  deadline: Flag.optional({
    name: "deadline",
    group: limits,
    value: "DURATION",
    description: "time limit of the whole run, which then ends at once",
    parse: DurationText.positive
  }),
  grace: Flag.withDefault({
    name: "grace",
    group: limits,
    value: "DURATION",
    description: "time for requests in flight to finish after a signal or a failure that ends the run",
    // well below the 90 s after which systemd kills a service
    default: "20s",
    parse: DurationText.parse
  }),
  outputFormat: Flag.withDefault({
    name: "output",
    group: output,
    value: "FORMAT",
    description: "format of the report on stdout: text or json",
    default: "text",
    parse: Values.choice("text", "json")
  }),
  quiet: Flag.toggle({
    name: "quiet",
    group: output,
    description:
      "print nothing if the run succeeds without a warning about setup, patterns, ledger, encryption, clock, manifests or metrics"
  }),
  verbose: Flag.toggle({
    name: "verbose",
    group: output,
    description: "log every file and every retry"
  }),
  logFormat: Flag.withDefault({
    name: "log-format",
    group: output,
    value: "FORMAT",
    description: "format of the log on stderr: pretty, logfmt, json, or auto (pretty on a terminal, else logfmt)",
    default: "auto",
    parse: Values.choice("auto", "pretty", "logfmt", "json")
  }),
  metricsFile: Flag.optional({
    name: "metrics-file",
    group: output,
    value: "FILE",
    description:
      "write metrics of the run for Prometheus' node_exporter, which reads files named *.prom; not with --dry-run",
    parse: Values.file
  }),
  ping: Flag.optional({
    name: "ping",
    group: output,
    value: "URL",
    description: "tell healthchecks.io, or a service like it: requests to URL/start and URL/EXIT-CODE; best effort",
    parse: Endpoint.parseUrl
  }),
  manifestFile: Flag.optional({
    name: "manifest-file",
    group: output,
    value: "FILE",
    description: "write the manifests of all directories to a local file, one per line; not with --dry-run",
    parse: Values.file
  })
}
