/** `--help`: @effect/cli's own shows no defaults, and colours even in a pipe. */
import type { Flag } from "../flags/Flag.ts"
import * as Manual from "./Manual.ts"

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

/** Whether a flag is needed, what stands in for it, and where: in brackets behind its description. */
export const annotations = (flag: Flag<unknown>): ReadonlyArray<string> =>
  [
    flag.required ? ["required"] : [],
    flag.default === undefined ? [] : [`default: ${flag.default}`],
    flag.env.length === 0 ? [] : [`env: ${flag.env.join(", ")}`]
  ].flat()

const flagHelp = (flag: Flag<unknown>) => {
  const value = flag.value === undefined ? "" : ` ${flag.value}${flag.repeated ? " …" : ""}`
  const noted = annotations(flag).length === 0 ? "" : ` [${annotations(flag).join("; ")}]`
  return `  --${flag.name}${value}\n${wrap(flag.description + noted, "      ")}`
}

const groups = (flags: ReadonlyArray<Flag<unknown>>) =>
  [...Map.groupBy(flags, (flag) => flag.group)].flatMap(([group, members]) => [
    "",
    group.toUpperCase(),
    ...members.map(flagHelp)
  ])

const exitStatus = (exits: Manual.Page["exits"]) => [
  ...exits.map(
    ({ code, meaning, name, retrySoon }) =>
      `  ${String(code).padStart(3)}  ${name.padEnd(21)}${meaning}${retrySoon ? " *" : ""}`
  ),
  ...(exits.some(({ retrySoon }) => retrySoon) ? ["  * starting it again soon can help"] : [])
]

/** The page of a command, or, for any other word and none, of the program. */
export const page = (name: string | undefined): string =>
  name !== undefined && Object.hasOwn(Manual.commands, name)
    ? command(name, Manual.commands[name as keyof typeof Manual.commands])
    : root

const command = (name: string, { examples, exits, flags, notes, summary, usage }: Manual.Page) =>
  [
    `ibsr-export ${name}: ${summary}`,
    "",
    "USAGE",
    `  ibsr-export ${name} ${usage}`,
    ...groups(flags),
    ...notes.flatMap(({ heading, paragraphs }) => [
      "",
      heading.toUpperCase(),
      ...paragraphs.map((paragraph) => wrap(paragraph, "  "))
    ]),
    "",
    "EXIT STATUS",
    ...exitStatus(exits),
    "",
    "EXAMPLES",
    examples.map((lines) => `  ${lines.join(" \\\n      ")}`).join("\n\n")
  ].join("\n")

export const root = `ibsr-export: carry IBSR traffic snapshots to a bucket

USAGE
  ibsr-export s3 [flags]       upload to S3, MinIO, Cloudflare R2 and the like
  ibsr-export s3 --help        all flags, exit codes, examples
  ibsr-export status [flags]   what was stored, what waits, what was lost
  ibsr-export units [flags]    systemd units, or a file for cron, that start it
  ibsr-export man              the manual page
  ibsr-export completion bash  completion of command lines; also zsh, fish
  ibsr-export --version`
