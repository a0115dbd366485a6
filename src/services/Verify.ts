/**
 * Verifies uploaded objects: compares each object with its manifest, and looks for holes between the times of its
 * lines.
 */
import { Clock, Effect } from "effect"
import { dirname } from "node:path"
import * as RunDirectory from "../domain/RunDirectory.ts"
import * as VerifiedGroups from "../domain/VerifiedGroups.ts"
import * as Verification from "../report/Verification.ts"
import { ObjectSource, type SourceError } from "./ObjectSource.ts"
import * as Group from "./Verify/Group.ts"

export interface Options {
  /** The directory or bucket that is verified, as the user gave it. */
  readonly source: string
  readonly version: string
  /** Whether a directory without a manifest is acceptable. */
  readonly withoutManifest: boolean
}

export const verify = (options: Options): Effect.Effect<Verification.Verification, SourceError, ObjectSource> =>
  Effect.gen(function* () {
    const source = yield* ObjectSource
    const now = yield* Clock.currentTimeMillis
    const objects = yield* source.list
    const withManifest = VerifiedGroups.withManifest(objects.map(({ name }) => name))
    const groups = Map.groupBy(objects, ({ name }) => VerifiedGroups.directoryOf(name, withManifest))
    const directories = yield* Effect.forEach([...groups].toSorted(byName), ([directory, all]) =>
      Group.verify(source, directory, all, { ...options, now, hasManifest: withManifest.has(directory) })
    )
    // a directory may hold nothing but the objects by which `s3` and `check` test the store
    const found = directories.filter((row) => row.objects + row.findings.length > 0 || row.manifest !== null)
    const rows = found.length === 0 ? [nothing] : withGaps(found)
    return Verification.make(options.version, options.source, rows)
  })

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1)

const nothing: Verification.Directory = {
  ...Group.empty(""),
  findings: [{ kind: "missing", file: "", detail: "there are no objects" }]
}

/** Adds a note to each run directory after which the collector did not run for a while. */
const withGaps = (directories: ReadonlyArray<Group.Verified>): ReadonlyArray<Verification.Directory> => {
  const kindOf = ({ directory }: Group.Verified) => {
    const kind = RunDirectory.parse(directory.slice(0, -1).split("/").at(-1) ?? "")?.kind
    return kind === undefined ? undefined : `${dirname(directory)} ${kind}`
  }
  return directories.map(({ interval, lastTime, ...row }, at) => {
    const kind = kindOf(directories[at]!)
    const next = directories.slice(at + 1).find((other) => kind !== undefined && kindOf(other) === kind)
    const isGap =
      lastTime !== null && next?.firstLine != null && Date.parse(next.firstLine) / 1000 - lastTime > 3 * interval
    return isGap ? { ...row, notes: [...row.notes, `the collector did not run until ${next.firstLine}`] } : row
  })
}
