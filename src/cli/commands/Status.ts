/** `ibsr-export status`: prints the state of the ledger. Its result is the exit code. */
import { Clock, Duration, Effect, Layer } from "effect"
import { type StateUnusable, UsageError } from "../../domain/Errors.ts"
import * as Nagios from "../../report/Nagios.ts"
import * as Status from "../../report/Status.ts"
import * as StoredList from "../../report/StoredList.ts"
import { escapeControls, json, plural } from "../../report/Text.ts"
import * as HostIdentity from "../../services/HostIdentity.ts"
import { LedgerStatus } from "../../services/Ledger.ts"
import * as SqliteStatus from "../../services/Ledger/SqliteStatus.ts"
import { printToStdout, Stdio } from "../../services/Stdio.ts"
import * as StoredFiles from "../../services/StoredFiles.ts"
import * as SystemdTimer from "../../services/SystemdTimer.ts"
import { Traversal } from "../../services/Traversal.ts"
import * as Argv from "../flags/Argv.ts"
import type * as Flag from "../flags/Flag.ts"
import { statusFlags } from "../flags/StatusFlags.ts"
import * as Variables from "../flags/Variables.ts"

export const run = (line: Argv.Line) =>
  Effect.gen(function* () {
    const { stderr } = yield* Stdio
    for (const warning of Variables.warnings(line.env))
      stderr.writeLine({ text: `ibsr-export: warning: ${warning}`, severity: "warning" })
    const flags = yield* Argv.values(statusFlags, line)
    const problems = conflicts(flags)
    if (problems.length > 0) return yield* new UsageError({ problems })
    const { bucket, critical, forget, outputFormat, prefix: template, stateDir, stored, warning } = flags
    const prefix = template === undefined ? undefined : yield* HostIdentity.resolvePrefix(template, line.env)
    if (forget !== undefined) return yield* forgetTarget(stateDir, forget)
    if (stored.length > 0) return yield* listStored({ ...flags, prefix })
    const read = LedgerStatus.pipe(
      Effect.flatMap((ledger) => ledger.read),
      Effect.map((status) => Status.only(status, { bucket, prefix })),
      Effect.provide(SqliteStatus.layer(stateDir))
    )
    const answer =
      outputFormat === "nagios"
        ? nagios(read, { warning, critical })
        : Effect.map(Effect.zip(withNextRun(read, stateDir), Clock.currentTimeMillis), ([status, now]) => ({
            code: 0,
            line: renderings[outputFormat](status, now)
          }))
    return yield* Effect.flatMap(answer, ({ code, line: text }) => Effect.as(printToStdout(text), code))
  })

const withNextRun = <E>(read: Effect.Effect<Status.Status, E>, stateDir: string) =>
  Effect.zipWith(
    read,
    SystemdTimer.nextRun(stateDir),
    (status, nextRun): Status.Status => ({ ...status, nextRun: nextRun ?? null }),
    { concurrent: true }
  )

const forgetTarget = (stateDir: string, name: string) =>
  Effect.gen(function* () {
    const ForgetTarget = yield* Effect.promise(() => import("../../services/Ledger/ForgetTarget.ts"))
    const { files, target, uploads } = yield* ForgetTarget.forget(stateDir, name)
    const left =
      uploads === 0
        ? ""
        : `, and the parts of ${plural(uploads, "multipart upload")} until a lifecycle rule removes them`
    yield* printToStdout(
      escapeControls(`forgot ${target} with ${plural(files, "file")}; its objects stay in the bucket${left}`)
    )
    return 0
  })

type Flags = Flag.Values<typeof statusFlags>

const conflicts = ({ critical, forget, nulEnded, outputFormat, stored, warning, wholeDirectories }: Flags) => [
  ...(Duration.greaterThan(warning, critical) ? ["--warning must not be longer than --critical"] : []),
  ...(nulEnded && stored.length === 0 ? ["--null needs --stored"] : []),
  ...(wholeDirectories && stored.length === 0 ? ["--whole-directories needs --stored"] : []),
  ...(stored.length > 0 && outputFormat === "nagios" ? ["--stored cannot be combined with --output nagios"] : []),
  ...(forget !== undefined && (stored.length > 0 || outputFormat !== "text")
    ? ["--forget cannot be combined with --stored or --output"]
    : []),
  ...(nulEnded && outputFormat === "json" ? ["--null cannot be combined with --output json"] : [])
]

/** Prints the files that may be deleted. The text on stdout is for other programs, so the summary goes to stderr. */
const listStored = ({
  bucket,
  nulEnded,
  outputFormat,
  prefix,
  stateDir,
  stored,
  wholeDirectories
}: Omit<Flags, "prefix"> & { readonly prefix: string | undefined }) =>
  Effect.gen(function* () {
    const { stderr, stdout } = yield* Stdio
    const list = yield* StoredFiles.find({ directories: stored, bucket, prefix }).pipe(
      Effect.provide(Layer.merge(SqliteStatus.layer(stateDir), Traversal.layer({ followSymlinks: false })))
    )
    const paths = wholeDirectories ? list.directories : list.files
    if (outputFormat === "json") stdout.writeLine({ text: json(list), severity: "info" })
    else if (nulEnded) stdout.write(StoredList.nulEnded(paths))
    else {
      if (paths.length > 0) stdout.writeLine({ text: StoredList.lines(paths), severity: "info" })
      stderr.writeLine({ text: StoredList.summary(list), severity: "info" })
    }
    return 0
  })

const renderings = {
  text: (status: Status.Status, now: number) => Status.render(status, now).join("\n"),
  json: (status: Status.Status) => json(status)
}

/** Uses the exit codes of Nagios plugins, including the one for a ledger that cannot be read. */
const nagios = (read: Effect.Effect<Status.Status, StateUnusable>, thresholds: Nagios.Thresholds) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.match(read, {
      onFailure: (error) => Nagios.unknown(error.message),
      onSuccess: (status) => Nagios.check(status, thresholds, now)
    })
  )
