/** `ibsr-export units`: what starts `s3` on this host, for systemd or cron, made from the flags of `s3`. */
import { hostname } from "node:os"
import { dirname, isAbsolute, join, resolve } from "node:path"
import { Command } from "@effect/cli"
import * as FileSystem from "@effect/platform/FileSystem"
import { Effect, Either, Record } from "effect"
import * as Crontab from "../../units/Crontab.ts"
import { UsageError } from "../../domain/Errors.ts"
import * as Units from "../../units/Units.ts"
import { type File, type Job, stateDirectory } from "../../units/Job.ts"
import { printToStdout } from "../../services/Stdio.ts"
import { detailOf } from "../../services/SystemError.ts"
import * as AtomicFile from "../../services/AtomicFile.ts"
import * as Argv from "../flags/Argv.ts"
import type { Flag, Parsed } from "../flags/Flag.ts"
import * as Given from "../flags/Given.ts"
import * as S3Flags from "../flags/S3Flags.ts"
import * as S3 from "./S3.ts"
import * as UnitsFlags from "../flags/UnitsFlags.ts"

/** Where people put a program that is in one file. */
const usualProgram = "/usr/local/bin/ibsr-export"

type OwnValues = {
  readonly [K in keyof typeof UnitsFlags.units]: (typeof UnitsFlags.units)[K] extends Flag<infer A> ? A : never
}

/** `executable` is this program, if it is one by itself. What a shell's environment says, the unit will not find. */
export const make = (args: ReadonlyArray<string>, executable: string | undefined) => {
  const line = { words: args, env: {} }
  const [s3, own] = [Given.among(S3Flags.s3, line), Given.among(UnitsFlags.units, line)]
  return Command.make("units", { s3: s3.options, own: own.options }, (parsed) =>
    Effect.gen(function* () {
      const values = yield* together(own.complete(parsed.own))
      const words = Argv.words(args).filter((word) => !ownNames.has(nameOf(word)))
      const { settings } = yield* S3.invocation(leftToTheEnvironment(s3.complete(parsed.s3), words))
      const job: Job = {
        program: values.program ?? executable ?? usualProgram,
        args: ["s3", ...words],
        user: values.user,
        groups: values.groups,
        paths: pathsOf(words),
        writes: foldersToWrite(words),
        settings
      }
      yield* refuse([
        ...relative([`--program=${job.program}`, ...words]),
        ...(settings.dryRun ? ["--dry-run: what never uploads would end well every hour"] : []),
        ...(values.cron ? [...Crontab.problems(job), ...unfitForCron(values, words)] : Units.problems(job))
      ])
      const files = values.cron ? [Crontab.file(job, hostname())] : Units.files(job, values.dropIn)
      yield* values.to === undefined ? print(files) : write(files, values.to)
    })
  )
}

const nameOf = (word: string) => word.split("=", 1)[0]!.slice(2)
const valueOf = (word: string) => word.slice(word.indexOf("=") + 1)

const ownNames = new Set(Object.values(UnitsFlags.units).map(({ name }) => name))

const together = (own: Given.Values<typeof UnitsFlags.units>) => {
  const [problems, values] = Record.partitionMap(own as Record<string, Parsed<unknown>>, (one) => one)
  const all = Object.values(problems).flat()
  return all.length > 0 ? new UsageError({ problems: all }) : Effect.succeed(values as unknown as OwnValues)
}

/** What is required may stand in the unit's environment file; whether it does is seen when it runs. */
const leftToTheEnvironment = (s3: S3.Parsings, words: ReadonlyArray<string>): S3.Parsings => {
  const given = new Set(words.map(nameOf))
  const unlessGiven = <A>(flag: Flag<A>, parsed: Parsed<A>, standIn: A) =>
    given.has(flag.name) ? parsed : Either.right(standIn)
  return {
    ...s3,
    input: unlessGiven(S3Flags.input, s3.input, ""),
    bucket: unlessGiven(S3Flags.bucket, s3.bucket, "")
  }
}

const unfitForCron = ({ dropIn }: OwnValues, words: ReadonlyArray<string>) => {
  const given = new Set(words.map(nameOf))
  return [
    ...[S3Flags.input, S3Flags.bucket]
      .filter(({ name }) => !given.has(name))
      .map(({ name }) => `--cron needs --${name}: cron reads no environment file`),
    ...(dropIn.length > 0 ? ["--drop-in: there are none for cron"] : [])
  ]
}

const isPath = ({ suggestions }: Flag<unknown>) => suggestions === "directory" || suggestions === "file"
const pathNames = new Set([UnitsFlags.program, ...Object.values(S3Flags.s3)].filter(isPath).map(({ name }) => name))

const pathsOf = (words: ReadonlyArray<string>) =>
  words.filter((word) => pathNames.has(nameOf(word))).map((word) => resolve(valueOf(word)))

/** Flags that name what a run writes, and the folder that it writes to. */
const writing: Readonly<Record<string, (path: string) => string>> = {
  [S3Flags.stateDir.name]: (path) => path,
  [S3Flags.metricsFile.name]: dirname
}

const foldersToWrite = (words: ReadonlyArray<string>) =>
  words
    .flatMap((word) => writing[nameOf(word)]?.(resolve(valueOf(word))) ?? [])
    .filter((folder) => folder !== stateDirectory)

const relative = (words: ReadonlyArray<string>) =>
  words
    .filter((word) => pathNames.has(nameOf(word)) && !isAbsolute(valueOf(word)))
    .map((word) => `--${nameOf(word)}: a timer starts it in another folder; give an absolute path`)

const refuse = (problems: ReadonlyArray<string>) => (problems.length > 0 ? new UsageError({ problems }) : Effect.void)

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
          // that of drop-ins; if it cannot be made, writing says why
          if (name.includes("/")) yield* Effect.ignore(fs.makeDirectory(dirname(path)))
          yield* AtomicFile.write(path, text, 0o644)
        }).pipe(Effect.mapError((cause) => new UsageError({ problems: [`--to: ${detailOf(cause)}`] }))),
        printToStdout(path)
      )
    },
    { discard: true }
  )
