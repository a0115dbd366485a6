/** `ibsr-export units`: systemd units or a crontab line that start `s3` on this host, made from the flags of `s3`. */
import { Effect } from "effect"
import { hostname } from "node:os"
import { dirname, isAbsolute, join, resolve } from "node:path"
import { UsageError } from "../../domain/Errors.ts"
import * as EarlierInstallation from "../../services/EarlierInstallation.ts"
import { printToStdout, Stdio } from "../../services/Stdio.ts"
import * as SystemUser from "../../services/SystemUser.ts"
import * as UnitFiles from "../../services/UnitFiles.ts"
import * as Crontab from "../../units/Crontab.ts"
import { type File, type Job, namesOf } from "../../units/Job.ts"
import * as Units from "../../units/Units.ts"
import * as Argv from "../flags/Argv.ts"
import type { Flag, Values } from "../flags/Flag.ts"
import { leftToTheRun, s3Flags } from "../flags/S3Flags.ts"
import { unitsFlags } from "../flags/UnitsFlags.ts"
import * as S3 from "./S3.ts"

/** The path to assume if the program runs from a script instead of the binary. */
const usualProgram = "/usr/local/bin/ibsr-export"

const { bucket, input } = s3Flags
const flags = { ...unitsFlags, ...s3Flags, input: leftToTheRun(input), bucket: leftToTheRun(bucket) }

/** `executable`: the path of this program if it is one file. The unit does not inherit the shell's environment. */
export const run = ({ args, env }: Argv.Line, executable: string | undefined) =>
  Effect.gen(function* () {
    const values = yield* Argv.values(flags, { args, env: {} })
    const settings = yield* S3.check(values)
    const words = Argv.words(args).filter((word) => !ownNames.has(nameOf(word)))
    const names = namesOf(values.name)
    const job: Job = {
      names,
      program: values.program ?? executable ?? usualProgram,
      args: ["s3", ...words],
      user: values.user,
      groups: values.groups,
      paths: pathsOf(words),
      writes: directoriesToWrite(words).filter((directory) => directory !== names.stateDirectory),
      settings
    }
    const problems = [
      ...relativePaths([`--program=${job.program}`, ...words]),
      ...(settings.dryRun ? ["--dry-run: each scheduled run would succeed without an upload"] : []),
      ...(values.cron ? [...Crontab.problems(job), ...cronProblems(values)] : Units.problems(job))
    ]
    if (problems.length > 0) return yield* new UsageError({ problems })
    if (values.name !== undefined && !words.some((word) => nameOf(word) === s3Flags.prefix.name)) yield* samePrefix
    const files = values.cron ? [Crontab.file(job, hostname())] : Units.files(job, values.dropIn)
    yield* values.to === undefined ? print(files) : UnitFiles.write(files, values.to)
    const own = files.map(({ folder, name }) => join(values.to ?? folder, name))
    const { stderr } = yield* Stdio
    for (const warning of yield* EarlierInstallation.warnings({ job, env, own }))
      stderr.writeLine({ text: `ibsr-export: warning: ${warning}`, severity: "warning" })
    return 0
  })

const nameOf = (word: string) => word.split("=", 1)[0]!.slice(2)
const valueOf = (word: string) => word.slice(word.indexOf("=") + 1)

const ownNames = new Set(Object.values(unitsFlags).map(({ name }) => name))

const cronProblems = (values: Pick<Values<typeof flags>, "bucket" | "dropIn" | "input" | "user">) => [
  // cron would ignore the file, and report that only in its own log
  ...(values.user === undefined || SystemUser.exists(values.user)
    ? []
    : [`--user: the user '${values.user}' does not exist on this host; create it first`]),
  ...(["input", "bucket"] as const)
    .filter((name) => values[name] === "")
    .map((name) => `--cron needs --${name}: cron reads no environment file`),
  ...(values.dropIn.length > 0 ? ["--drop-in: does not work with --cron"] : [])
]

const isPath = ({ suggestions }: Flag<unknown>) => suggestions === "directory" || suggestions === "file"
const pathNames = new Set(
  Object.values(flags)
    .filter(isPath)
    .map(({ name }) => name)
)

const pathsOf = (words: ReadonlyArray<string>) =>
  words.filter((word) => pathNames.has(nameOf(word))).map((word) => resolve(valueOf(word)))

/** For each flag that names an output path: the directory that is written to. */
const writtenDirectory: Readonly<Record<string, (path: string) => string>> = {
  [s3Flags.stateDir.name]: (path) => path,
  [s3Flags.metricsFile.name]: dirname,
  [s3Flags.manifestFile.name]: dirname
}

const directoriesToWrite = (words: ReadonlyArray<string>) =>
  words.flatMap((word) => writtenDirectory[nameOf(word)]?.(resolve(valueOf(word))) ?? [])

const relativePaths = (words: ReadonlyArray<string>) =>
  words
    .filter((word) => pathNames.has(nameOf(word)) && !isAbsolute(valueOf(word)))
    .map((word) => `--${nameOf(word)}: a timer starts the program in another directory; give an absolute path`)

const samePrefix = Effect.map(Stdio, ({ stderr }) => {
  const text = "ibsr-export: warning: without --prefix, all jobs of this host upload below the same prefix"
  stderr.writeLine({ text, severity: "warning" })
})

const print = (files: ReadonlyArray<File>) =>
  printToStdout(
    files
      .map(({ folder, name, text }) => `# ${join(folder, name)}\n${text}`)
      .join("\n")
      .trimEnd()
  )
