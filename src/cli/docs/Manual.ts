/**
 * The documentation of each command, from which `--help`, the manual page and the completions are made. This module is
 * long because it consists of text.
 */
import * as ExitCode from "../../domain/ExitCode.ts"
import * as DropIns from "../../units/DropIns.ts"
import { environmentFile, stateDirectory } from "../../units/Job.ts"
import * as Policy from "../../policy/Policy.ts"
import { checkFlags } from "../flags/CheckFlags.ts"
import type { Flag } from "../flags/Flag.ts"
import { policyFlags } from "../flags/PolicyFlags.ts"
import { s3Flags } from "../flags/S3Flags.ts"
import { statusFlags } from "../flags/StatusFlags.ts"
import { unitsFlags } from "../flags/UnitsFlags.ts"
import { verifyFlags } from "../flags/VerifyFlags.ts"

export interface Page {
  /** Purpose of the command, short enough for half a line. */
  readonly summary: string
  /** The flags after the command's name. */
  readonly usage: string
  /** The flags that the page describes. It refers to another page for the flags of another command. */
  readonly flags: ReadonlyArray<Flag<unknown>>
  /** The flags that most users need. */
  readonly usual: ReadonlyArray<Flag<unknown>>
  readonly notes: ReadonlyArray<{ readonly heading: string; readonly paragraphs: ReadonlyArray<string> }>
  readonly exits: ReadonlyArray<Pick<ExitCode.ExitCode, "code" | "meaning" | "name" | "retrySoon">>
  /** Example commands. Each consists of one or more lines. */
  readonly examples: ReadonlyArray<ReadonlyArray<string>>
}

const ok = (meaning: string): ExitCode.ExitCode => ({ code: 0, name: "ok", meaning, retrySoon: false })
const as = (row: ExitCode.ExitCode, meaning: string): ExitCode.ExitCode => ({ ...row, meaning })
const { StateUnusable, UsageError } = ExitCode.ofError

const s3: Page = {
  summary: "upload IBSR snapshots to a bucket, with write-only permission",
  usage: "--input DIR --bucket NAME [--prefix PREFIX] [flags]",
  flags: Object.values(s3Flags),
  usual: [s3Flags.input, s3Flags.bucket, s3Flags.prefix, s3Flags.endpoint, s3Flags.region, s3Flags.dryRun],
  notes: [
    {
      heading: "Units",
      paragraphs: [
        "SIZE: bytes, or KiB, MiB, GiB (K, M, G for short), or KB, MB, GB.",
        "DURATION: 500ms, 90s, 5m, 1h30m.",
        "GLOB: ** any directories, * within one, ? one character, {a,b}, [a-z]. A name may start with a dot.",
        "The variable of a repeatable flag holds its values separated by ';'."
      ]
    },
    {
      heading: "Credentials",
      paragraphs: [
        "Credentials come only from the standard AWS chain: environment, profile, SSO, web identity, container, instance role. The only permission needed is s3:PutObject on the prefix."
      ]
    }
  ],
  exits: ExitCode.table,
  examples: [
    [
      "ibsr-export s3",
      "--input /var/lib/ibsr/snapshots",
      "--bucket customer-bucket",
      "--prefix ibsr/host-17/snapshots"
    ],
    [
      "ibsr-export s3 --input /srv/incidents --include '**/*.pcap.gz'",
      "--bucket incidents",
      "--endpoint https://minio.example.com:9000 --dry-run"
    ]
  ]
}

const status: Page = {
  summary: "show from the ledger what is stored, waiting and lost",
  usage: "[--stored [-0] DIR …] [flags]",
  flags: Object.values(statusFlags),
  usual: [statusFlags.stateDir, statusFlags.bucket, statusFlags.prefix, statusFlags.stored, statusFlags.outputFormat],
  notes: [
    {
      heading: "Deleting what is stored",
      paragraphs: [
        "ibsr-export never deletes a file. --stored lists absolute paths; a summary of what is not listed goes to stderr. A file that has several targets in the ledger is listed if it is stored in each; --bucket and --prefix select one."
      ]
    },
    {
      heading: "Exit status with --output nagios",
      paragraphs: [
        "0, OK: the last success is recent, and the last run did not fail.",
        "1, WARNING: the last success is older than --warning, or the last run failed and a retry can help.",
        "2, CRITICAL: there was no success, it is older than --critical, or the last run failed and no retry can help.",
        "3, UNKNOWN: there is no ledger, it cannot be read, or no run has used it."
      ]
    }
  ],
  exits: [
    ok("the status was printed, whatever it says"),
    as(StateUnusable, "there is no ledger, or it cannot be read"),
    UsageError
  ],
  examples: [
    ["ibsr-export status"],
    ["ibsr-export status --forget s3://mistyped-bucket/ibsr/host-17/snapshots"],
    [
      `ibsr-export status --state-dir ${stateDirectory} --stored`,
      "--whole-directories -0 /var/lib/ibsr/snapshots | xargs -0r rm -r --"
    ]
  ]
}

const units: Page = {
  summary: "make systemd units, or a crontab, that start s3 every hour",
  usage: "[flags] [flags of ibsr-export s3]",
  flags: Object.values(unitsFlags),
  usual: Object.values(unitsFlags).slice(0, 6),
  notes: [
    {
      heading: "Flags of s3",
      paragraphs: [
        `The flags of s3 are checked and become part of the command line. Variables of this shell are ignored. The units read variables from ${environmentFile}, which may also set --input and --bucket.`
      ]
    },
    {
      heading: "Several jobs",
      paragraphs: [
        "With --name payload, a job has its own units ibsr-upload-payload.service and .timer, or its own file /etc/cron.d/ibsr-upload-payload. Its variables are in /etc/ibsr-export/export-payload.env, and its ledger is in /var/lib/ibsr-export-payload. Give it a --prefix of its own, too.",
        "--to only replaces files that were made for the same job and that nobody has changed. Otherwise it writes nothing."
      ]
    },
    {
      heading: "Drop-ins",
      paragraphs: DropIns.names.map((name) => `${name}: ${DropIns.dropIns[name].purpose}.`)
    }
  ],
  exits: [
    ok("the files were printed or written"),
    as(UsageError, "bad flag or value, or a file in --to cannot or must not be replaced")
  ],
  examples: [
    [
      "ibsr-export units --input /var/lib/ibsr/snapshots",
      "--bucket customer-bucket --region eu-central-1",
      "--group ibsr --to /etc/systemd/system"
    ],
    [
      "ibsr-export units --cron --user ibsr --input /var/lib/ibsr/snapshots",
      "--bucket customer-bucket --region eu-central-1 --to /etc/cron.d"
    ],
    [
      "ibsr-export units --name payload --group ibsr",
      "--input /var/lib/ibsr/snapshots-payload",
      "--bucket customer-bucket --prefix ibsr/host-17/snapshots-payload",
      "--region eu-central-1 --to /etc/systemd/system"
    ]
  ]
}

const verify: Page = {
  summary: "prove that what arrived in the bucket is complete and correct",
  usage: "PATH|s3://BUCKET/PREFIX [flags]",
  flags: Object.values(verifyFlags),
  usual: [verifyFlags.withoutManifest, verifyFlags.endpoint, verifyFlags.profile, verifyFlags.outputFormat],
  notes: [
    {
      heading: "What is verified",
      paragraphs: [
        "Each object is compared with upload-manifest.json in its directory, which --manifest of s3 stores: its SHA-256, its size, and whether it is final. The times of the lines show holes: two lines that are further apart than 1.5 intervals.",
        "A directory needs no credentials. For s3://, the AWS chain needs a user with s3:ListBucket and s3:GetObject, which the uploading host must not have."
      ]
    }
  ],
  exits: [
    ok("everything is proven to be complete and correct"),
    ...[22, 23, 30, 32, 41, 43, 44, 52, 60, 61].flatMap((code) => ExitCode.table.find((row) => row.code === code) ?? [])
  ],
  examples: [
    [
      "aws s3 sync s3://customer-bucket/ibsr/host-17/snapshots snapshots"
    ],
    ["ibsr-export verify snapshots"],
    ["ibsr-export verify --profile reader", "s3://customer-bucket/ibsr/host-17/snapshots"]
  ]
}

const check: Page = {
  summary: "find out, step by step, whether an upload would work",
  usage: "[--no-canary] --input DIR --bucket NAME [flags of ibsr-export s3]",
  flags: Object.values(checkFlags),
  usual: [...Object.values(checkFlags), s3Flags.input, s3Flags.bucket, s3Flags.prefix, s3Flags.endpoint],
  notes: [
    {
      heading: "Steps",
      paragraphs: [
        "One line for each step: ok, warn, FAIL, or skip if it depends on a step that failed. Give the flags of the upload, and run it as the user of the upload.",
        "It stores ibsr-export.check and ibsr-export.no-overwrite below the prefix; readers ignore both. With --no-canary, it only creates and aborts a multipart upload.",
        "It tries to list, read and delete its own object, and warns if the store allows that: the host needs only s3:PutObject."
      ]
    }
  ],
  exits: [ok("an upload would work"), ...ExitCode.table.filter(({ code }) => [20, 21, 22, 23, 30, 31, 32, 41, 51, 52, 60, 61].includes(code))],
  examples: [
    ["ibsr-export check --input /var/lib/ibsr/snapshots", "--bucket customer-bucket --prefix ibsr/host-17/snapshots"]
  ]
}

const policy: Page = {
  summary: "print the minimum permission for an upload",
  usage: "--for STORE --bucket NAME [--prefix PREFIX] [flags of ibsr-export s3]",
  flags: Object.values(policyFlags),
  usual: [...Object.values(policyFlags), s3Flags.bucket, s3Flags.prefix],
  notes: [
    {
      heading: "Stores",
      paragraphs: Policy.names.map((name) => `${name}: ${Policy.kinds[name].purpose}.`)
    },
    {
      heading: "Flags of s3",
      paragraphs: [
        "Give the flags of the upload. --tag, --acl and --sse kms need permissions of their own; --endpoint and --region become part of the text. Nothing is sent."
      ]
    }
  ],
  exits: [ok("the policy was printed"), as(UsageError, "bad flag or value, or the store does not support a flag")],
  examples: [
    ["ibsr-export policy --for aws", "--bucket customer-bucket --prefix ibsr/host-17/snapshots"],
    [
      "ibsr-export policy --for minio",
      "--endpoint https://minio.example.com:9000",
      "--bucket snapshots --prefix ibsr/host-17/snapshots"
    ]
  ]
}

/** The commands, in the order in which a user needs them. */
export const commands = { s3, check, policy, units, status, verify }

/** The flags that each command takes. */
export const flags: Readonly<Record<keyof typeof commands, ReadonlyArray<Flag<unknown>>>> = {
  s3: s3.flags,
  check: [...check.flags, ...s3.flags],
  policy: [...policy.flags, ...s3.flags],
  status: status.flags,
  verify: verify.flags,
  units: [...units.flags, ...s3.flags]
}

/** Command lines that print a text for other programs. */
export const texts = ["man", "completion bash", "completion zsh", "completion fish"] as const

export type Text = (typeof texts)[number]

/** The possible first words of a command line, with their meanings. */
export const words: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(commands).map(([name, { summary }]) => [name, summary])),
  explain: "explain an exit code",
  man: "print the manual page, for man -l -",
  completion: "print a completion script for a shell"
}

/** The shells that have a completion script. */
export const shells: ReadonlyArray<string> = texts.flatMap((text) => text.split(" ").slice(1))
