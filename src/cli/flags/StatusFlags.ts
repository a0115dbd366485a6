/** The flags of `status`, in the order of `--help`. */
import * as DurationText from "../../domain/DurationText.ts"
import * as ObjectKey from "../../domain/ObjectKey.ts"
import * as Flag from "./Flag.ts"
import { output, s3Flags, where } from "./S3Flags.ts"
import * as Values from "./Values.ts"

export const statusFlags = {
  stateDir: s3Flags.stateDir,
  bucket: Flag.optional({
    name: "bucket",
    group: where,
    value: "NAME",
    description: "tell only of this bucket; a ledger remembers also those that are not used any more",
    parse: Values.bucket
  }),
  prefix: Flag.optional({
    name: "prefix",
    group: where,
    value: "PREFIX",
    description: "tell only of this prefix",
    parse: ObjectKey.parsePrefix
  }),
  outputFormat: Flag.withDefault({
    name: "output",
    group: output,
    value: "FORMAT",
    description: "text, json, or nagios: one line with performance data, and the exit code of a Nagios plugin",
    default: "text",
    parse: Values.choice("text", "json", "nagios")
  }),
  warning: Flag.withDefault({
    name: "warning",
    group: output,
    value: "DURATION",
    description: "with --output nagios: WARNING if the last success is longer ago",
    // a run each hour, and one that failed
    default: "2h",
    parse: DurationText.positive
  }),
  critical: Flag.withDefault({
    name: "critical",
    group: output,
    value: "DURATION",
    description: "with --output nagios: CRITICAL if the last success is longer ago",
    // a quarter of the day for which the collector keeps a snapshot
    default: "6h",
    parse: DurationText.positive
  })
}
