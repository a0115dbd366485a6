/** `ibsr-export units`: systemd units or a crontab line that start `s3` on this host, made from the flags of `s3`. */
import { FileSystem } from "@effect/platform"
import { Effect, Either } from "effect"
import { hostname } from "node:os"
import { dirname, isAbsolute, join, resolve } from "node:path"
import { UsageError } from "../../domain/Errors.ts"
import * as AtomicFile from "../../services/AtomicFile.ts"
import { printToStdout } from "../../services/Stdio.ts"
import { detailOf } from "../../services/SystemError.ts"
import * as Crontab from "../../units/Crontab.ts"
import { type File, type Job, stateDirectory } from "../../units/Job.ts"
import * as Units from "../../units/Units.ts"
import * as Argv from "../flags/Argv.ts"
import type { Flag, Values } from "../flags/Flag.ts"
import { s3Flags } from "../flags/S3Flags.ts"
import { unitsFlags } from "../flags/UnitsFlags.ts"
import * as S3 from "./S3.ts"

/** The usual path of a program in one file. */
const usualProgram = "/usr/local/bin/ibsr-export"

/** Makes a required flag of `s3` optional: the unit's environment file may set it, which only the run can check. */
const leftToTheRun = (flag: Flag<string>): Flag<string> => ({ ...flag, absent: () => Either.right("") })

const { bucket, input } = s3Flags
const flags = { ...unitsFlags, ...s3Flags, input: leftToTheRun(input), bucket: leftToTheRun(bucket) }

/** `executable`: the path of this program if it is one file. The unit does not inherit the shell's environment. */
export const run = (args: ReadonlyArray<string>, executable: string | undefined) =>
  Effect.gen(function* () {
    const values = yield* Argv.values(flags, { args, env: {} })
    const settings = yield* S3.check(values)
    const words = Argv.words(args).filter((word) => !ownNames.has(nameOf(word)))
    const job: Job = {
      program: values.program ?? executable ?? usualProgram,
      args: ["s3", ...words],
      user: values.user,
      groups: values.groups,
      paths: pathsOf(words),
      writes: directoriesToWrite(words),
      settings
    }
    const problems = [
      ...relativePaths([`--program=${job.program}`, ...words]),
      ...(settings.dryRun ? ["--dry-run: each scheduled run would succeed without an upload"] : []),
      ...(values.cron ? [...Crontab.problems(job), ...cronProblems(values)] : Units.problems(job))
    ]
    if (problems.length > 0) return yield* new UsageError({ problems })
    const files = values.cron ? [Crontab.file(job, hostname())] : Units.files(job, values.dropIn)
    yield* values.to === undefined ? print(files) : write(files, values.to)
    return 0
  })

const nameOf = (word: string) => word.split("=", 1)[0]!.slice(2)
const valueOf = (word: string) => word.slice(word.indexOf("=") + 1)

const ownNames = new Set(Object.values(unitsFlags).map(({ name }) => name))

const cronProblems = (values: Pick<Values<typeof flags>, "bucket" | "dropIn" | "input">) => [
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
  [s3Flags.metricsFile.name]: dirname
}

const directoriesToWrite = (words: ReadonlyArray<string>) =>
  words
    .flatMap((word) => writtenDirectory[nameOf(word)]?.(resolve(valueOf(word))) ?? [])
    .filter((directory) => directory !== stateDirectory)

const relativePaths = (words: ReadonlyArray<string>) =>
  words
    .filter((word) => pathNames.has(nameOf(word)) && !isAbsolute(valueOf(word)))
    .map((word) => `--${nameOf(word)}: a timer starts the program in another directory; give an absolute path`)

const print = (files: ReadonlyArray<File>) =>
  printToStdout(
    files
      .map(({ folder, name, text }) => `# ${join(folder, name)}\n${text}`)
      .join("\n")
      .trimEnd()
  )

const write = (files: ReadonlyArray<File>, directory: string) =>
  Effect.forEach(
    files,
    ({ name, text }) =>
      Effect.gen(function* () {
        const path = join(directory, name)
        const fs = yield* FileSystem.FileSystem
        // the directory of drop-ins; if this fails, the write below reports the reason
        if (name.includes("/")) yield* Effect.ignore(fs.makeDirectory(dirname(path)))
        yield* Effect.mapError(
          AtomicFile.write(path, text, 0o644),
          (cause) => new UsageError({ problems: [`--to: ${detailOf(cause)}`] })
        )
        yield* printToStdout(path)
      }),
    { discard: true }
  )
