/** Verifies the objects that one manifest describes. */
import { type Context, Effect, Either } from "effect"
import * as Compression from "../../domain/Compression.ts"
import * as Coverage from "../../domain/Coverage.ts"
import * as Finding from "../../domain/Finding.ts"
import { manifestName } from "../../domain/ManifestDirectory.ts"
import * as Snapshot from "../../domain/Snapshot.ts"
import * as Verification from "../../report/Verification.ts"
import { canaryName } from "../Check/StoreSteps.ts"
import type { FoundObject, ObjectSource, SourceError } from "../ObjectSource.ts"
import { markerName } from "../Uploads/OverwriteProtection.ts"
import * as Inspection from "./Inspection.ts"
import * as ManifestCheck from "./ManifestCheck.ts"

export interface Options {
  readonly withoutManifest: boolean
  readonly hasManifest: boolean
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface Verified extends Verification.Directory {
  /** The time of the last line, in seconds since 1970. */
  readonly lastTime: number | null
  /** Seconds between two lines. */
  readonly interval: number
}

type Source = Context.Tag.Service<ObjectSource>

/** Names of objects that no manifest describes, although the program stores them. */
const markers: ReadonlySet<string> = new Set([markerName, canaryName])

export const empty = (directory: string): Verification.Directory => ({
  directory,
  manifest: null,
  objects: 0,
  bytes: 0,
  proven: 0,
  live: 0,
  generations: 0,
  torn: 0,
  firstLine: null,
  lastLine: null,
  findings: [],
  omitted: 0,
  notes: []
})

export const verify = (
  source: Source,
  directory: string,
  all: ReadonlyArray<FoundObject>,
  { hasManifest, now, withoutManifest }: Options
): Effect.Effect<Verified, SourceError> =>
  Effect.gen(function* () {
    const manifest = hasManifest ? yield* ManifestCheck.read(source, directory + manifestName) : undefined
    const known = manifest !== undefined && Either.isRight(manifest) ? manifest.right : undefined
    const entryOf = (name: string) => known?.entries.get(name.slice(directory.length))
    const objects = all
      .filter(({ name }) => name !== directory + manifestName && !markers.has(name.slice(directory.length)))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    const findings = collector()
    const nameOf = (name: string) => name.slice(directory.length)
    const segments: Array<Coverage.Segment> = []
    let interval = known?.manifest.intervalSeconds ?? undefined
    let proven = 0
    let torn = 0

    const one = ({ name }: FoundObject) =>
      Effect.gen(function* () {
        const entry = entryOf(name)
        const compression = ManifestCheck.compressionOf(name, entry)
        const plainName = compression === "none" ? name : name.slice(0, -Compression.keySuffixes[compression].length)
        const hasLines = Snapshot.hasLines(plainName)
        // without a manifest, nothing can be said about the content of such a file
        if (entry === undefined && !hasLines) return undefined
        return yield* Inspection.of(source.read(name), { digestBytes: entry?.bytes ?? 0, compression, hasLines })
      })
    const judge = ({ name }: FoundObject, read: Inspection.Inspection) => {
      const entry = entryOf(name)
      if (isSnapshot(nameOf(name))) segments.push(...read.segments)
      interval = read.interval ?? interval
      if (read.isTorn) torn++
      if (read.damage !== undefined) findings.add({ kind: "damaged", file: name, detail: read.damage })
      else if (entry !== undefined) {
        const wrong = Finding.judge(entry, read)
        if (wrong === undefined) proven++
        else findings.add({ file: name, ...wrong })
      } else if (read.isTorn) findings.add({ kind: "torn", file: name, detail: "it ends in an incomplete line" })
    }
    yield* Effect.forEach(objects, (object) => Effect.map(one(object), (read) => read && judge(object, read)), {
      concurrency: source.concurrency,
      discard: true
    })

    if (manifest !== undefined && Either.isLeft(manifest))
      findings.add({ kind: "bad-manifest", file: directory + manifestName, detail: manifest.left })
    if (manifest === undefined && !withoutManifest && objects.length > 0)
      findings.add({
        kind: "no-manifest",
        file: directory,
        detail: "it has no manifest, so nothing proves that it is complete"
      })
    if (known !== undefined) ManifestCheck.againstManifest(known, objects, directory, now, findings.add)
    addHoles(directory, objects, segments, interval ?? Coverage.usualInterval, findings.add)

    const isOlder = (name: string) => known !== undefined && ManifestCheck.isOlderGeneration(name, known)
    const isCurrent = (name: string) => entryOf(name)?.current !== false
    const times = segments.flatMap(({ from, to }) => [from, to])
    const lastTime = times.length === 0 ? null : times.reduce((a, b) => Math.max(a, b))
    return {
      ...empty(directory),
      manifest:
        known === undefined
          ? null
          : { host: known.manifest.host, tool: known.manifest.tool, key: directory + manifestName },
      objects: objects.length,
      bytes: objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      proven,
      live: objects.filter(({ name }) => entryOf(name)?.state === "live" && isCurrent(name)).length,
      generations: objects.filter(({ name }) => !isCurrent(name) || isOlder(nameOf(name))).length,
      torn,
      firstLine: times.length === 0 ? null : isoTime(times.reduce((a, b) => Math.min(a, b))),
      lastLine: lastTime === null ? null : isoTime(lastTime),
      findings: findings.listed.toSorted(bySeverity),
      omitted: findings.omitted(),
      lastTime,
      interval: interval ?? Coverage.usualInterval
    }
  })

const isoTime = (seconds: number) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z")

const bySeverity = (a: Finding.Finding, b: Finding.Finding) =>
  Finding.order.indexOf(a.kind) - Finding.order.indexOf(b.kind) || (a.file < b.file ? -1 : 1)

const collector = () => {
  const listed: Array<Finding.Finding> = []
  const counts = new Map<Finding.Kind, number>()
  let omitted = 0
  return {
    listed,
    omitted: () => omitted,
    add: (finding: Finding.Finding) => {
      const count = (counts.get(finding.kind) ?? 0) + 1
      counts.set(finding.kind, count)
      if (count > Verification.maxListed) omitted++
      else listed.push(finding)
    }
  }
}

const isSnapshot = (name: string) => /(?:^|\/)snapshot_[^/]*$/.test(name)

/** The hour of a snapshot, whatever its generation and compression. */
const hourOf = (name: string): number | undefined =>
  Compression.possibleSources(name)
    .map(({ path }) => Snapshot.hourOf(path)?.start)
    .find((start) => start !== undefined)

const addHoles = (
  directory: string,
  objects: ReadonlyArray<FoundObject>,
  segments: ReadonlyArray<Coverage.Segment>,
  interval: number,
  add: (finding: Finding.Finding) => void
): void => {
  const hours = objects.flatMap(({ name }) => hourOf(name.slice(directory.length)) ?? []).map((millis) => millis / 1000)
  const missing = Coverage.missingHours(hours)
  for (const { from, missingLines, to } of Coverage.holes(segments, interval)) {
    const without = missing.filter((hour) => hour >= from - 3600 && hour < to).length
    const files = without === 0 ? "" : `, ${without} ${without === 1 ? "hour" : "hours"} without a file`
    const lines = `${missingLines} ${missingLines === 1 ? "line" : "lines"} missing`
    add({ kind: "hole", file: directory, detail: `${lines} between ${isoTime(from)} and ${isoTime(to)}${files}` })
  }
  if (segments.length > 0) return
  for (const hour of missing)
    add({ kind: "hole", file: directory, detail: `no file for the hour from ${isoTime(hour)}` })
}
