/** The steps of `check` that examine the input directory. */
import { Clock, Duration, Effect, Either, Stream } from "effect"
import { constants, promises as fs } from "node:fs"
import { basename, dirname } from "node:path"
import * as DurationText from "../../domain/DurationText.ts"
import { SourceUnreadable } from "../../domain/Errors.ts"
import * as RunDirectory from "../../domain/RunDirectory.ts"
import * as Selection from "../../domain/Selection.ts"
import type { Settings } from "../../domain/Settings.ts"
import * as Size from "../../domain/Size.ts"
import * as Snapshot from "../../domain/Snapshot.ts"
import { type Found, pathOf, type SourceFile } from "../../domain/SourceFile.ts"
import * as Check from "../../report/Check.ts"
import { plural } from "../../report/Text.ts"
import * as FileStat from "../Source/FileStat.ts"
import { codeOf, detailOf } from "../SystemError.ts"
import { Traversal } from "../Traversal.ts"

type Options = Pick<Settings, "exclude" | "followSymlinks" | "include" | "input" | "retention">

/** The collector's default. Source: `--max-age` of its command line. */
const defaultRetention = Duration.hours(24)

/** The number of excluded files that the report names as examples. */
const maxExamples = 3

/** The number of files that are opened at the same time, to check whether they can be read. */
const concurrency = 16

interface Seen {
  selected: number
  bytes: number
  excluded: number
  readonly examples: Array<string>
  /** The run directories, each with the start of the hour of its oldest snapshot. */
  readonly directories: Map<string, number>
  newest: { readonly path: string; readonly at: number } | undefined
  failed: SourceUnreadable | undefined
}

export const run = (options: Options): Effect.Effect<ReadonlyArray<Check.Result>, never, Traversal> =>
  Effect.gen(function* () {
    const traversal = yield* Traversal
    const now = yield* Clock.currentTimeMillis
    const selection = Selection.make(options)
    const seen: Seen = {
      selected: 0,
      bytes: 0,
      excluded: 0,
      examples: [],
      directories: new Map(),
      newest: undefined,
      failed: undefined
    }
    const walked = yield* Effect.either(
      Stream.runForEachChunk(traversal.files(options.input), (chunk) =>
        Effect.forEach(chunk, (found) => examine(found, selection, options, seen, now), { concurrency, discard: true })
      )
    )
    if (Either.isLeft(walked)) return [Check.failed("input", walked.left), Check.skip("selection", "no input")]
    return [inputResult(seen, options, now), selectionResult(seen, options, selection.unmatched())]
  })

const examine = (found: Found, selection: Selection.Selection, options: Options, seen: Seen, now: number) =>
  Effect.promise(async () => {
    const admitted = Selection.admit(selection, found)
    if (Either.isLeft(admitted)) {
      const { left } = admitted
      if (left._tag === "Failed" && left.error._tag === "SourceUnreadable") seen.failed ??= left.error
      else if (left._tag === "Excluded") noteExcluded(found, seen)
      return
    }
    await noteSelected(admitted.right, options, seen, now)
  })

const noteExcluded = (found: Found, seen: Seen) => {
  seen.excluded++
  if (seen.examples.length < maxExamples) seen.examples.push(pathOf(found))
}

const noteSelected = async (file: SourceFile, options: Options, seen: Seen, now: number) => {
  const { path, relativePath } = file
  seen.selected++
  const stat = await FileStat.statLater(file, options)
  if (stat === undefined) return
  seen.bytes += Number(stat.size)
  const at = FileStat.modifiedMillis(stat, now)
  if (seen.newest === undefined || at > seen.newest.at) seen.newest = { path: relativePath, at }
  const directory = dirname(relativePath)
  if (RunDirectory.parse(basename(directory)) !== undefined) {
    const hour = Snapshot.hourOf(relativePath)?.start ?? Infinity
    seen.directories.set(directory, Math.min(hour, seen.directories.get(directory) ?? Infinity))
  }
  await fs.access(path, constants.R_OK).catch((cause: unknown) => {
    seen.failed ??= new SourceUnreadable({ path, detail: detailOf(cause), code: codeOf(cause), cause })
  })
}

const inputResult = (seen: Seen, { input, retention = defaultRetention }: Options, now: number): Check.Result => {
  const { bytes, directories, failed, newest, selected } = seen
  if (failed !== undefined) return Check.failed("input", failed)
  const [current] = [...directories.keys()].toSorted((a, b) => RunDirectory.newestFirst(`${a}/`, `${b}/`))
  const deletedAt = (directories.get(current ?? "") ?? Infinity) + Duration.toMillis(retention)
  const parts = [
    plural(selected, "selected file"),
    Size.format(bytes),
    ...(directories.size === 0 ? [] : [`run directories: ${directories.size}`]),
    ...(newest === undefined ? [] : [`newest ${newest.path}, ${span(now - newest.at)} ago`]),
    ...(deletedAt > now && deletedAt < Infinity
      ? [`next deletion in ${span(deletedAt - now)} if the collector keeps files for ${DurationText.format(retention)}`]
      : [])
  ]
  return Check.ok("input", `${input} is readable: ${parts.join(", ")}`)
}

const span = (millis: number) => DurationText.format(Duration.millis(Math.max(0, millis)))

const selectionResult = (
  { examples, excluded, selected }: Seen,
  { exclude, include }: Options,
  unmatched: ReadonlyArray<string>
): Check.Result => {
  const patterns = [
    ...include.map((glob) => `--include '${glob}'`),
    ...exclude.map((glob) => `--exclude '${glob}'`)
  ].join(" ")
  const leftOut =
    excluded === 0 ? "leaves out no file" : `leaves out ${plural(excluded, "file")}, such as ${examples.join(", ")}`
  const detail = `${patterns} selects ${plural(selected, "file")} and ${leftOut}`
  const useless = unmatched.filter(() => excluded > 0)
  if (useless.length > 0)
    return Check.warn(
      "selection",
      `${detail}; --include '${useless.join("', '")}' matches no file`,
      "correct the pattern, or remove it"
    )
  return selected === 0
    ? Check.warn("selection", detail, "start the collector, or check --input and --include")
    : Check.ok("selection", detail)
}
