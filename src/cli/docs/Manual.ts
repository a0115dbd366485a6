/** What is said of each command, from which `--help`, the man page and the completions are made. */
import * as ExitCode from "../../domain/ExitCode.ts"
import * as DropIns from "../../units/DropIns.ts"
import { environmentFile, stateDirectory } from "../../units/Job.ts"
import type { Flag } from "../flags/Flag.ts"
import { s3Flags } from "../flags/S3Flags.ts"
import { statusFlags } from "../flags/StatusFlags.ts"
import { unitsFlags } from "../flags/UnitsFlags.ts"

export interface Page {
  /** What it does, in half a line. */
  readonly summary: string
  /** What may stand behind its name. */
  readonly usage: string
  /** Those that no other command describes. */
  readonly flags: ReadonlyArray<Flag<unknown>>
  readonly notes: ReadonlyArray<{ readonly heading: string; readonly paragraphs: ReadonlyArray<string> }>
  readonly exits: ReadonlyArray<Pick<ExitCode.ExitCode, "code" | "meaning" | "name" | "retrySoon">>
  /** Command lines; each may go over several lines. */
  readonly examples: ReadonlyArray<ReadonlyArray<string>>
}

const ok = (meaning: string): ExitCode.ExitCode => ({ code: 0, name: "ok", meaning, retrySoon: false })
const as = (row: ExitCode.ExitCode, meaning: string): ExitCode.ExitCode => ({ ...row, meaning })
const { StateUnusable, UsageError } = ExitCode.ofError

const s3: Page = {
  summary: "upload IBSR snapshots to a bucket, with write-only permission",
  usage: "--input DIR --bucket NAME [--prefix PREFIX] [flags]",
  flags: Object.values(s3Flags),
  notes: [
    {
      heading: "Units",
      paragraphs: [
        "SIZE: bytes, or KiB, MiB, GiB (K, M, G for short), or KB, MB, GB.",
        "DURATION: 500ms, 90s, 5m, 1h30m.",
        "GLOB: ** any directories, * within one, ? one character, {a,b}, [a-z]. A name may begin with a dot.",
        "A repeatable flag's variable holds its values separated by ';'."
      ]
    },
    {
      heading: "Credentials",
      paragraphs: [
        "From the standard AWS chain, and nowhere else: environment, profile, SSO, web identity, container, instance role. s3:PutObject on the prefix is all the permission needed."
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
  summary: "what was stored, what waits, and what was lost, from the ledger alone",
  usage: "[flags]",
  flags: Object.values(statusFlags),
  notes: [
    {
      heading: "Exit status with --output nagios",
      paragraphs: [
        "0, OK: the last success is recent, and the last run did not fail.",
        "1, WARNING: it is older than --warning, or the last run failed.",
        "2, CRITICAL: it is older than --critical, or the last run needs somebody.",
        "3, UNKNOWN: there is no ledger, it cannot be read, or no run has used it."
      ]
    }
  ],
  exits: [
    ok("it was told, whatever it says"),
    as(StateUnusable, "there is no ledger, or it cannot be read"),
    UsageError
  ],
  examples: [[`ibsr-export status --state-dir ${stateDirectory}`]]
}

const units: Page = {
  summary: "what starts ibsr-export s3 every hour: systemd units, or a file for cron",
  usage: "[flags] [flags of ibsr-export s3]",
  flags: Object.values(unitsFlags),
  notes: [
    {
      heading: "Flags of s3",
      paragraphs: [
        `They are checked, and go into the command line. What stands in variables here does not; on the host, those in ${environmentFile} count, for --input and --bucket, too.`
      ]
    },
    {
      heading: "Drop-ins",
      paragraphs: DropIns.names.map((name) => `${name}: ${DropIns.dropIns[name].purpose}.`)
    }
  ],
  exits: [ok("the files were printed or written"), as(UsageError, "bad flag or value, or --to cannot be written to")],
  examples: [
    [
      "ibsr-export units --input /var/lib/ibsr/snapshots",
      "--bucket customer-bucket --region eu-central-1",
      "--group ibsr --to /etc/systemd/system"
    ],
    [
      "ibsr-export units --cron --user ibsr --input /var/lib/ibsr/snapshots",
      "--bucket customer-bucket --region eu-central-1 --to /etc/cron.d"
    ]
  ]
}

/** The commands, in the order in which people need them. */
export const commands = { s3, status, units }

/** The flags that each command takes. */
export const flags: Readonly<Record<keyof typeof commands, ReadonlyArray<Flag<unknown>>>> = {
  s3: s3.flags,
  status: status.flags,
  units: [...units.flags, ...s3.flags]
}

/** Command lines that print something for other programs to read. */
export const texts = ["man", "completion bash", "completion zsh", "completion fish"] as const

export type Text = (typeof texts)[number]

/** What a command line can begin with, and what it is for. */
export const words: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(commands).map(([name, { summary }]) => [name, summary])),
  man: "the manual page, for man -l -",
  completion: "what makes a shell complete command lines"
}

/** Those that completions are made for. */
export const shells: ReadonlyArray<string> = texts.flatMap((text) => text.split(" ").slice(1))
