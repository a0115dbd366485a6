/** `--help`: @effect/cli's own shows no defaults, and colours even in a pipe. */
import * as ExitCode from "../domain/ExitCode.ts"
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
    [`env: ${flag.env.join(", ")}`]
  ].flat()

const flagHelp = (flag: Flag<unknown>) => {
  const value = flag.value === undefined ? "" : ` ${flag.value}${flag.repeated ? " …" : ""}`
  return `  --${flag.name}${value}\n${wrap(`${flag.description} [${notes(flag).join("; ")}]`, "      ")}`
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
export const page = (flags: { readonly s3: Flags; readonly status: Flags }, command: string | undefined): string => {
  if (command === "s3") return s3(flags.s3)
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

export const root = `ibsr-export: carry IBSR traffic snapshots to a bucket

USAGE
  ibsr-export s3 [flags]       upload to S3, MinIO, Cloudflare R2 and the like
  ibsr-export s3 --help        all flags, exit codes, examples
  ibsr-export status [flags]   what was stored, what waits, what was lost
  ibsr-export --version`
