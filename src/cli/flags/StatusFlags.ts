/** The flags of `status`, in the order of `--help`. */
import * as DurationText from "../../domain/DurationText.ts"
import * as Placeholder from "../../domain/Placeholder.ts"
import * as StateDir from "../StateDir.ts"
import * as Flag from "./Flag.ts"
import { output, s3Flags, where } from "./S3Flags.ts"
import * as Values from "./Values.ts"

/** Heading in `--help`. */
const deletion = "What may be deleted"

export const statusFlags = {
  stateDir: Flag.withDefault({
    name: s3Flags.stateDir.name,
    group: s3Flags.stateDir.group,
    value: "DIR",
    description: "directory of the ledger",
    default: { shown: "for root, that of the packaged service; otherwise as for s3", of: StateDir.ofStatus },
    parse: Values.directory
  }),
  forget: Flag.optional({
    name: "forget",
    group: s3Flags.stateDir.group,
    value: "TARGET",
    env: [],
    description:
      "remove a target from the ledger, such as s3://BUCKET/PREFIX with a mistyped name; its objects stay in the bucket",
    parse: Values.directory
  }),
  bucket: Flag.optional({
    name: "bucket",
    group: where,
    value: "NAME",
    description: "show only this bucket; the ledger also remembers buckets that are no longer used",
    parse: Values.bucket
  }),
  prefix: Flag.optional({
    name: "prefix",
    group: where,
    value: "PREFIX",
    description: "show only this prefix",
    parse: Placeholder.parse
  }),
  stored: Flag.repeated({
    name: "stored",
    operands: true,
    group: deletion,
    value: "DIR",
    env: [],
    description: "list the files in these directories that are stored as final and have not changed since",
    parse: Values.directory
  }),
  wholeDirectories: Flag.toggle({
    name: "whole-directories",
    group: deletion,
    env: [],
    description:
      "with --stored: list run directories instead: those whose files may all be deleted and to which no collector writes"
  }),
  nulEnded: Flag.toggle({
    name: "null",
    short: "0",
    group: deletion,
    env: [],
    description: "with --stored: end each path with a NUL instead of a line break, for xargs -0"
  }),
  outputFormat: Flag.withDefault({
    name: "output",
    group: output,
    value: "FORMAT",
    description: "text, json, or nagios: one line with performance data, and a Nagios plugin's exit code",
    default: "text",
    parse: Values.choice("text", "json", "nagios")
  }),
  warning: Flag.withDefault({
    name: "warning",
    group: output,
    value: "DURATION",
    description: "with --output nagios: WARNING if the last success is older than this",
    // two intervals of an hourly timer, so that one run may fail
    default: "2h",
    parse: DurationText.positive
  }),
  critical: Flag.withDefault({
    name: "critical",
    group: output,
    value: "DURATION",
    description: "with --output nagios: CRITICAL if the last success is older than this",
    // a quarter of the day for which the collector keeps a snapshot file
    default: "6h",
    parse: DurationText.positive
  })
}
