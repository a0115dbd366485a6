/** Replaces the help of @effect/cli, which shows no defaults and prints colours even to a pipe. */
import type { Flag } from "../flags/Flag.ts"
import * as Manual from "./Manual.ts"

/** Columns of text, for a terminal with 80 columns. */
const width = 79

/** Wraps text. `first` replaces the indentation of the first line. */
export const wrap = (text: string, indent: string, first = indent): string => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line].map((each, at) => (at === 0 ? first : indent) + each).join("\n")
}

/** The meaning of a flag. Brackets say whether it is required, and give its default and its variables. */
export const descriptionOf = (flag: Flag<unknown>): string => {
  const notes = [
    ...(flag.required ? ["required"] : []),
    ...(flag.default === undefined ? [] : [`default: ${flag.default}`]),
    ...(flag.env.length === 0 ? [] : [`env: ${flag.env.join(", ")}`])
  ]
  return notes.length === 0 ? flag.description : `${flag.description} [${notes.join("; ")}]`
}

/** A flag as it is typed: `-0, --null`. */
export const namesOf = ({ name, short }: Pick<Flag<unknown>, "name" | "short">): string =>
  short === undefined ? `--${name}` : `-${short}, --${name}`

const flagHelp = (flag: Flag<unknown>) => {
  const value = flag.value === undefined ? "" : ` ${flag.value}${flag.repeated ? " …" : ""}`
  return `  ${namesOf(flag)}${value}\n${wrap(descriptionOf(flag), "      ")}`
}

const groups = (flags: ReadonlyArray<Flag<unknown>>) =>
  [...Map.groupBy(flags, (flag) => flag.group)].flatMap(([group, members]) => [
    "",
    group.toUpperCase(),
    ...members.map(flagHelp)
  ])

/** The width of the longest name plus two spaces. */
const nameWidth = 22

const exitStatus = (exits: Manual.Page["exits"]) => [
  ...exits.map(
    ({ code, meaning, name, retrySoon }) =>
      wrap(
        `${meaning}${retrySoon ? " *" : ""}`,
        " ".repeat(nameWidth + 7),
        `  ${String(code).padStart(3)}  ${name.padEnd(nameWidth)}`
      )
  ),
  ...(exits.some(({ retrySoon }) => retrySoon) ? ["  * starting it again soon can help"] : [])
]

/** Returns the help page of a command. Without a command, or for an unknown one, returns the page of the program. */
export const page = (name: string | undefined, isShort = false): string =>
  name !== undefined && Object.hasOwn(Manual.commands, name)
    ? (isShort ? synopsis : command)(name, Manual.commands[name as keyof typeof Manual.commands])
    : root

/** Makes the headings bold: the lines in capital letters. */
export const withBoldHeadings = (text: string): string => text.replaceAll(/^[A-Z][A-Z ]+$/gm, "\u001B[1m$&\u001B[0m")

/** Describes only the most common flags, without their variables. */
const synopsis = (name: string, { summary, usage, usual }: Manual.Page) =>
  [
    `ibsr-export ${name}: ${summary}`,
    "",
    "USAGE",
    `  ibsr-export ${name} ${usage}`,
    "",
    "USUAL FLAGS",
    ...usual.map(
      (flag) => `  --${flag.name}${flag.value === undefined ? "" : ` ${flag.value}`}\n${wrap(flag.description, "      ")}`
    ),
    "",
    `See 'ibsr-export ${name} --help'.`
  ].join("\n")

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

export const root = `ibsr-export: upload IBSR traffic snapshots to a bucket

USAGE
  ibsr-export s3 [flags]       upload to S3, MinIO, Cloudflare R2 and others
  ibsr-export s3 --help        all flags, exit codes, examples
  ibsr-export check [flags]    find out whether an upload would work
  ibsr-export policy [flags]   print the minimum permission for an upload
  ibsr-export units [flags]    make systemd units or a crontab that start it
  ibsr-export status [flags]   show what is stored, waiting and lost
  ibsr-export verify PATH      prove that what arrived is complete and correct
  ibsr-export explain CODE     what an exit code means, and what to do about it
  ibsr-export man              print the manual page
  ibsr-export completion bash  print a completion script; also zsh, fish
  ibsr-export --version

See 'ibsr-export s3 --help'.`
