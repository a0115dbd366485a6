/** `--help`: @effect/cli's own shows no defaults, and colours even in a pipe. */
import * as ExitCode from "../domain/ExitCode.ts"
import { environmentFile } from "../domain/Units/Job.ts"
import type { Flag } from "./Flag.ts"

/** Columns; fits a terminal of the usual 80. */
const width = 79

const wrap = (text: string, indent: string): string => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line].map((each) => indent + each).join("\n")
}

const notes = (flag: Flag<unknown>) =>
  [
    flag.required ? ["required"] : [],
    flag.default === undefined ? [] : [`default: ${flag.default}`],
    flag.env.length === 0 ? [] : [`env: ${flag.env.join(", ")}`]
  ].flat()

const flagHelp = (flag: Flag<unknown>) => {
  const value = flag.value === undefined ? "" : ` ${flag.value}${flag.repeated ? " …" : ""}`
  const noted = notes(flag).length === 0 ? "" : ` [${notes(flag).join("; ")}]`
  return `  --${flag.name}${value}\n${wrap(flag.description + noted, "      ")}`
}

const example = `ibsr-export s3 \\
      --input /var/lib/ibsr/snapshots \\
      --bucket customer-bucket \\
      --prefix ibsr/host-17/snapshots`

const exitRow = (code: number, name: string, meaning: string) =>
  `  ${String(code).padStart(3)}  ${name.padEnd(21)}${meaning}`

const exitStatus = ExitCode.table.map(
  ({ code, meaning, name, retrySoon }) => exitRow(code, name, meaning) + (retrySoon ? " *" : "")
)

type Flags = ReadonlyArray<Flag<unknown>>

const groups = (flags: Flags) =>
  [...Map.groupBy(flags, (flag) => flag.group)].flatMap(([group, members]) => [
    "",
    group.toUpperCase(),
    ...members.map(flagHelp)
  ])

/** The page of a command, or of the program. */
export const page = (
  flags: { readonly s3: Flags; readonly status: Flags; readonly units: Flags },
  command: string | undefined
): string => {
  if (command === "s3") return s3(flags.s3)
  if (command === "units") return units(flags.units.filter((flag) => !flags.s3.includes(flag)))
  return command === "status" ? status(flags.status) : root
}

export const s3 = (flags: Flags): string =>
  [
    "ibsr-export s3: upload IBSR snapshots to a bucket, with write-only permission",
    "",
    "USAGE",
    "  ibsr-export s3 --input DIR --bucket NAME [--prefix PREFIX] [flags]",
    ...groups(flags),
    "",
    "UNITS",
    wrap("SIZE: bytes, or KiB, MiB, GiB (K, M, G for short), or KB, MB, GB.", "  "),
    wrap("DURATION: 500ms, 90s, 5m, 1h30m.", "  "),
    wrap("GLOB: ** any directories, * within one, ? one character, {a,b}, [a-z]. A name may begin with a dot.", "  "),
    wrap("A repeatable flag's variable holds its values separated by ';'.", "  "),
    "",
    "CREDENTIALS",
    wrap(
      "From the standard AWS chain, and nowhere else: environment, profile, SSO, web identity, container, instance role. s3:PutObject on the prefix is all the permission needed.",
      "  "
    ),
    "",
    "EXIT STATUS",
    ...exitStatus,
    "  * starting it again soon can help",
    "",
    "EXAMPLES",
    `  ${example}`,
    "",
    "  ibsr-export s3 --input /srv/incidents --include '**/*.pcap.gz' \\",
    "      --bucket incidents --endpoint https://minio.example.com:9000 --dry-run"
  ].join("\n")

export const status = (flags: Flags): string =>
  [
    "ibsr-export status: what was stored, what waits, and what was lost, from the ledger alone",
    "",
    "USAGE",
    "  ibsr-export status [flags]",
    ...groups(flags),
    "",
    "EXIT STATUS",
    exitRow(0, "ok", "it was told, whatever it says"),
    exitRow(ExitCode.ofError.StateUnusable.code, "state", "there is no ledger, or it cannot be read"),
    exitRow(ExitCode.ofError.UsageError.code, "usage", "bad flag or value")
  ].join("\n")

/** `flags` are those that it has besides those of `s3`. */
export const units = (flags: Flags): string =>
  [
    "ibsr-export units: what starts ibsr-export s3 every hour: systemd units, or a file for cron",
    "",
    "USAGE",
    "  ibsr-export units [flags] [flags of ibsr-export s3]",
    ...groups(flags),
    "",
    wrap(
      `The flags of s3 are checked, and go into the command line. What stands in variables here does not; on the host, those in ${environmentFile} count, for --input and --bucket, too.`,
      ""
    ),
    "",
    "EXIT STATUS",
    exitRow(0, "ok", "the files were printed or written"),
    exitRow(ExitCode.ofError.UsageError.code, "usage", "bad flag or value, or --to cannot be written to"),
    "",
    "EXAMPLES",
    "  ibsr-export units --input /var/lib/ibsr/snapshots --bucket customer-bucket \\",
    "      --region eu-central-1 --group ibsr --to /etc/systemd/system",
    "",
    "  ibsr-export units --cron --user ibsr --input /var/lib/ibsr/snapshots \\",
    "      --bucket customer-bucket --region eu-central-1 --to /etc/cron.d"
  ].join("\n")

export const root = `ibsr-export: carry IBSR traffic snapshots to a bucket

USAGE
  ibsr-export s3 [flags]       upload to S3, MinIO, Cloudflare R2 and the like
  ibsr-export s3 --help        all flags, exit codes, examples
  ibsr-export status [flags]   what was stored, what waits, what was lost
  ibsr-export units [flags]    systemd units or a cron line that start it every hour
  ibsr-export --version`
