/** Finds the files and run directories that may be deleted. Reads the ledger and the disk, and changes nothing. */
import { Chunk, Clock, Effect, Stream } from "effect"
import { promises as fs, realpathSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { type StateUnusable, UsageError } from "../domain/Errors.ts"
import * as RunDirectory from "../domain/RunDirectory.ts"
import { type Found, pathOf } from "../domain/SourceFile.ts"
import * as StoredFiles from "../domain/StoredFiles.ts"
import type { StoredList } from "../report/StoredList.ts"
import { LedgerStatus, type TargetFiles } from "./Ledger.ts"
import * as FileStat from "./Source/FileStat.ts"
import { Traversal } from "./Traversal.ts"

export interface Options {
  readonly directories: ReadonlyArray<string>
  /** Undefined selects all targets of the ledger. */
  readonly bucket: string | undefined
  readonly prefix: string | undefined
}

/** A directory to search. `real` is its path without links, which is compared with the inputs of the targets. */
interface Root {
  readonly path: string
  readonly real: string
}

/** What has been found so far in a run directory. */
interface Tally {
  files: number
  stored: number
  bytes: number
  changedAt: number
}

/** Fails with `UsageError` if no run has used one of the directories, or if one cannot be listed. */
export const find = (
  options: Options
): Effect.Effect<StoredList, StateUnusable | UsageError, LedgerStatus | Traversal> =>
  Effect.gen(function* () {
    const status = yield* LedgerStatus
    const traversal = yield* Traversal
    const now = yield* Clock.currentTimeMillis
    const { ledger, lookUp, targets: all } = yield* status.openFiles
    const targets = all
      .filter(({ bucket, prefix }) => bucket === (options.bucket ?? bucket) && prefix === (options.prefix ?? prefix))
      .map((target) => ({ ...target, real: withoutLinks(target.input) }))
    const roots = withoutNested(options.directories.map(resolved))
    yield* checkKnown(roots, targets, options)

    const files: Array<StoredList["files"][number]> = []
    const kept = { live: 0, waiting: 0, changed: 0, unknown: 0 }
    const runs = new Map<string, Tally>()

    const add = (root: Root) => (found: Found) => {
      const relative = pathOf(found)
      const path = join(root.path, relative)
      // `unknown` if there is no stat: for a link, for a file that was just deleted, and for a name that is not UTF-8
      // and may decode to the name of another file
      const stat =
        found._tag === "File" && !relative.includes("\uFFFD")
          ? FileStat.stat({ path, relativePath: relative }, { followSymlinks: false })
          : undefined
      const real = join(root.real, relative)
      const covering = stat === undefined ? [] : targets.filter((target) => isBelow(real, target.real))
      const standing = StoredFiles.combine(
        covering.map((target) => target.standingOf(real.slice(withSlash(target.real).length), stat!))
      )
      const bytes = Number(stat?.size ?? 0)
      if (standing === "stored") files.push({ path, bytes })
      else kept[standing]++

      const run = runDirectoryOf(path, root.path)
      if (run === undefined) return
      const tally = runs.get(run) ?? { files: 0, stored: 0, bytes: 0, changedAt: 0 }
      runs.set(run, tally)
      tally.files++
      tally.bytes += bytes
      if (standing === "stored") tally.stored++
      tally.changedAt = Math.max(tally.changedAt, Number((stat?.mtimeNs ?? 0n) / 1_000_000n))
    }
    for (const root of roots)
      yield* Stream.runForEachChunk(traversal.files(root.path), (chunk) =>
        lookUp(() => Chunk.toReadonlyArray(chunk).forEach(add(root)))
      )

    const newest = yield* Effect.promise(() => newestRuns(runs.keys()))
    const directories = [...runs]
      .filter(([path, tally]) => StoredFiles.isWhole({ ...tally, isNewest: newest.has(path) }, now))
      .map(([path, tally]) => ({ path, files: tally.files, bytes: tally.bytes }))
    return { schemaVersion: 1 as const, ledger, files, directories, kept }
  }).pipe(
    Effect.catchTag("InputUnusable", ({ message }) => new UsageError({ problems: [`--stored: ${message}`] })),
    Effect.scoped
  )

const withSlash = (directory: string) => (directory.endsWith("/") ? directory : `${directory}/`)

const isBelow = (path: string, directory: string) => path.startsWith(withSlash(directory))

/** Resolves links. Returns the path itself if it cannot be resolved; listing it then reports the reason. */
const withoutLinks = (path: string) => {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

const resolved = (path: string): Root => ({ path: resolve(path), real: withoutLinks(resolve(path)) })

/** Leaves out directories that another one contains, so that no file is listed twice. */
const withoutNested = (roots: ReadonlyArray<Root>) =>
  roots.filter(
    ({ real }, at) => !roots.some((other, index) => isBelow(real, other.real) || (other.real === real && index < at))
  )

const checkKnown = (
  roots: ReadonlyArray<Root>,
  targets: ReadonlyArray<Pick<TargetFiles, "input"> & { readonly real: string }>,
  { bucket, prefix }: Options
) => {
  const inputs = [...new Set(targets.map(({ input }) => input))]
  const selected = bucket === undefined && prefix === undefined ? "" : " to this --bucket and --prefix"
  const known = inputs.length === 0 ? "from no directory" : `from ${inputs.join(", ")}`
  const problems = roots
    .filter(
      ({ real }) =>
        !targets.some((target) => target.real === real || isBelow(real, target.real) || isBelow(target.real, real))
    )
    .map(({ path }) => `--stored: nothing was uploaded from ${path}${selected}; the ledger knows of uploads ${known}`)
  return problems.length > 0 ? Effect.fail(new UsageError({ problems })) : Effect.void
}

/** The outermost run directory that contains the path, not above `root`; undefined if there is none. */
const runDirectoryOf = (path: string, root: string): string | undefined => {
  let found: string | undefined
  for (let directory = dirname(path); directory === root || isBelow(directory, root); directory = dirname(directory)) {
    if (RunDirectory.parse(basename(directory)) !== undefined) found = directory
    if (directory === root) break
  }
  return found
}

/**
 * The run directories that are the newest of their kind in their parent directory. If a parent cannot be listed, all of
 * its run directories count as newest.
 */
const newestRuns = async (paths: Iterable<string>): Promise<ReadonlySet<string>> => {
  const newest: Array<string> = []
  for (const [parent, runs] of Map.groupBy(paths, (path) => dirname(path))) {
    const siblings = await fs.readdir(parent).catch(() => undefined)
    if (siblings === undefined) newest.push(...runs)
    else newest.push(...[...RunDirectory.current(siblings).values()].map((name) => join(parent, name)))
  }
  return new Set(newest)
}
