/** `ibsr-export units`: what starts `s3` on this host, for systemd or cron, made from the flags of `s3`. */
import { mkdir } from "node:fs/promises"
import { hostname } from "node:os"
import { dirname, isAbsolute, join, resolve } from "node:path"
import { Command } from "@effect/cli"
import { Effect, Either, Record } from "effect"
import * as Crontab from "../domain/Crontab.ts"
import { UsageError } from "../domain/Errors.ts"
import * as Units from "../domain/Units.ts"
import { type File, type Job, stateDirectory } from "../domain/Units/Job.ts"
import { said } from "../services/Streams.ts"
import { detailOf } from "../services/SystemError.ts"
import * as WholeFile from "../services/WholeFile.ts"
import * as Argv from "./Argv.ts"
import type { Flag, Parsed } from "./Flag.ts"
import * as Given from "./Given.ts"
import * as Options from "./Options.ts"
import * as S3Command from "./S3Command.ts"
import * as UnitsOptions from "./UnitsOptions.ts"

/** Where people put a program that is in one file. */
const usualProgram = "/usr/local/bin/ibsr-export"

type OwnValues = {
  readonly [K in keyof typeof UnitsOptions.units]: (typeof UnitsOptions.units)[K] extends Flag<infer A> ? A : never
}

/** `executable` is this program, if it is one by itself. What a shell's environment says, the unit will not find. */
export const make = (args: ReadonlyArray<string>, executable: string | undefined) => {
  const line = { words: args, env: {} }
  const [s3, own] = [Given.among(Options.s3, line), Given.among(UnitsOptions.units, line)]
  return Command.make("units", { s3: s3.options, own: own.options }, (parsed) =>
    Effect.gen(function* () {
      const values = yield* together(own.complete(parsed.own))
      const words = Argv.words(args).filter((word) => !ownNames.has(nameOf(word)))
      const { settings } = yield* S3Command.invocation(leftToTheEnvironment(s3.complete(parsed.s3), words))
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

const ownNames = new Set(Object.values(UnitsOptions.units).map(({ name }) => name))

const together = (own: Given.Values<typeof UnitsOptions.units>) => {
  const [problems, values] = Record.partitionMap(own as Record<string, Parsed<unknown>>, (one) => one)
  const all = Object.values(problems).flat()
  return all.length > 0 ? new UsageError({ problems: all }) : Effect.succeed(values as unknown as OwnValues)
}

/** What is required may stand in the unit's environment file; whether it does is seen when it runs. */
const leftToTheEnvironment = (s3: S3Command.Parsings, words: ReadonlyArray<string>): S3Command.Parsings => {
  const given = new Set(words.map(nameOf))
  const unlessGiven = <A>(flag: Flag<A>, parsed: Parsed<A>, standIn: A) =>
    given.has(flag.name) ? parsed : Either.right(standIn)
  return {
    ...s3,
    input: unlessGiven(Options.input, s3.input, ""),
    bucket: unlessGiven(Options.bucket, s3.bucket, "")
  }
}

const unfitForCron = ({ dropIn }: OwnValues, words: ReadonlyArray<string>) => {
  const given = new Set(words.map(nameOf))
  return [
    ...[Options.input, Options.bucket]
      .filter(({ name }) => !given.has(name))
      .map(({ name }) => `--cron needs --${name}: cron reads no environment file`),
    ...(dropIn.length > 0 ? ["--drop-in: there are none for cron"] : [])
  ]
}

const isPath = ({ suggestions }: Flag<unknown>) => suggestions === "directory" || suggestions === "file"
const pathNames = new Set([UnitsOptions.program, ...Object.values(Options.s3)].filter(isPath).map(({ name }) => name))

const pathsOf = (words: ReadonlyArray<string>) =>
  words.filter((word) => pathNames.has(nameOf(word))).map((word) => resolve(valueOf(word)))

/** Flags that name what a run writes, and the folder that it writes to. */
const writing: Readonly<Record<string, (path: string) => string>> = {
  [Options.stateDir.name]: (path) => path,
  [Options.metricsFile.name]: dirname
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
  said(
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
        Effect.tryPromise({
          try: async () => {
            // that of drop-ins; if it cannot be made, writing says why
            if (name.includes("/")) await mkdir(dirname(path)).catch(() => {})
            await WholeFile.write(path, text, 0o644)
          },
          catch: (cause) => new UsageError({ problems: [`--to: ${detailOf(cause)}`] })
        }),
        said(path)
      )
    },
    { discard: true }
  )
