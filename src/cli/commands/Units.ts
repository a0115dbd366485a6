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

/** Where people put a program that is in one file. */
const usualProgram = "/usr/local/bin/ibsr-export"

/** A required flag of `s3` may stand in the unit's environment file instead, which only the run can check. */
const leftToTheRun = (flag: Flag<string>): Flag<string> => ({ ...flag, absent: () => Either.right("") })

const { bucket, input } = s3Flags
const flags = { ...unitsFlags, ...s3Flags, input: leftToTheRun(input), bucket: leftToTheRun(bucket) }

/** `executable` is this program, if it is one file. The unit does not inherit the shell's environment. */
export const run = (args: ReadonlyArray<string>, executable: string | undefined) =>
  Effect.gen(function* () {
    const values = yield* Argv.values(flags, { args, env: {} })
    const settings = yield* S3.together(values)
    const words = Argv.words(args).filter((word) => !ownNames.has(nameOf(word)))
    const job: Job = {
      program: values.program ?? executable ?? usualProgram,
      args: ["s3", ...words],
      user: values.user,
      groups: values.groups,
      paths: pathsOf(words),
      writes: foldersToWrite(words),
      settings
    }
    const problems = [
      ...relative([`--program=${job.program}`, ...words]),
      ...(settings.dryRun ? ["--dry-run: what never uploads would end well every hour"] : []),
      ...(values.cron ? [...Crontab.problems(job), ...unfitForCron(values, words)] : Units.problems(job))
    ]
    if (problems.length > 0) return yield* new UsageError({ problems })
    const files = values.cron ? [Crontab.file(job, hostname())] : Units.files(job, values.dropIn)
    yield* values.to === undefined ? print(files) : write(files, values.to)
    return 0
  })

const nameOf = (word: string) => word.split("=", 1)[0]!.slice(2)
const valueOf = (word: string) => word.slice(word.indexOf("=") + 1)

const ownNames = new Set(Object.values(unitsFlags).map(({ name }) => name))

const unfitForCron = ({ dropIn }: Values<typeof unitsFlags>, words: ReadonlyArray<string>) => {
  const given = new Set(words.map(nameOf))
  return [
    ...[input, bucket]
      .filter(({ name }) => !given.has(name))
      .map(({ name }) => `--cron needs --${name}: cron reads no environment file`),
    ...(dropIn.length > 0 ? ["--drop-in: there are none for cron"] : [])
  ]
}

const isPath = ({ suggestions }: Flag<unknown>) => suggestions === "directory" || suggestions === "file"
const pathNames = new Set(
  Object.values(flags)
    .filter(isPath)
    .map(({ name }) => name)
)

const pathsOf = (words: ReadonlyArray<string>) =>
  words.filter((word) => pathNames.has(nameOf(word))).map((word) => resolve(valueOf(word)))

/** Flags that name what a run writes, and the folder that it writes to. */
const writing: Readonly<Record<string, (path: string) => string>> = {
  [s3Flags.stateDir.name]: (path) => path,
  [s3Flags.metricsFile.name]: dirname
}

const foldersToWrite = (words: ReadonlyArray<string>) =>
  words
    .flatMap((word) => writing[nameOf(word)]?.(resolve(valueOf(word))) ?? [])
    .filter((folder) => folder !== stateDirectory)

const relative = (words: ReadonlyArray<string>) =>
  words
    .filter((word) => pathNames.has(nameOf(word)) && !isAbsolute(valueOf(word)))
    .map((word) => `--${nameOf(word)}: a timer starts it in another folder; give an absolute path`)

const print = (files: ReadonlyArray<File>) =>
  printToStdout(
    files
      .map(({ folder, name, text }) => `# ${join(folder, name)}\n${text}`)
      .join("\n")
      .trimEnd()
  )

const write = (files: ReadonlyArray<File>, folder: string) =>
  Effect.forEach(
    files,
    ({ name, text }) => {
      const path = join(folder, name)
      return Effect.zipRight(
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          // the directory of drop-ins; if it cannot be made, writing says why
          if (name.includes("/")) yield* Effect.ignore(fs.makeDirectory(dirname(path)))
          yield* AtomicFile.write(path, text, 0o644)
        }).pipe(Effect.mapError((cause) => new UsageError({ problems: [`--to: ${detailOf(cause)}`] }))),
        printToStdout(path)
      )
    },
    { discard: true }
  )
