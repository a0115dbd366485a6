/** Compares a manifest with the objects of its directory: those that exist, and those that should exist. */
import { type Context, Effect, Either, Schema } from "effect"
import * as Compression from "../../domain/Compression.ts"
import type * as Finding from "../../domain/Finding.ts"
import * as Snapshot from "../../domain/Snapshot.ts"
import * as Manifest from "../../report/Manifest.ts"
import type { FoundObject, ObjectSource, SourceError } from "../ObjectSource.ts"

type Source = Context.Tag.Service<ObjectSource>

const decode = Schema.decodeUnknownEither(Schema.parseJson(Manifest.Manifest))

/** Reads a manifest, or returns why it cannot be used. */
export const read = (source: Source, name: string): Effect.Effect<Either.Either<Known, string>, SourceError> =>
  Effect.map(
    Effect.tryPromise({
      try: async () =>
        Buffer.concat(await Array.fromAsync(source.read(name), (piece) => Buffer.from(piece))).toString(),
      catch: (cause) => cause as SourceError
    }),
    (text) =>
      Either.mapBoth(decode(text), {
        onLeft: ({ message }) => `it is not a manifest: ${message.split("\n").at(-1)?.trim()}`,
        onRight: knownFrom
      })
  )

/** A manifest, and its entries by their names below its directory. */
export interface Known {
  readonly manifest: Manifest.Manifest
  readonly entries: ReadonlyMap<string, Manifest.StoredObject>
  /** The current generation of each file, by the file's path below the directory. */
  readonly generations: ReadonlyMap<string, number>
}

const knownFrom = (manifest: Manifest.Manifest): Known => {
  const { directory, files, prefix } = manifest
  const begin = prefix === "" ? directory : `${prefix}/${directory}`
  const current = files.filter((entry) => entry.current)
  return {
    manifest,
    entries: new Map(files.map((entry) => [entry.key.slice(begin.length), entry])),
    generations: new Map(current.map(({ file, generation }) => [file.slice(directory.length), generation]))
  }
}

const formats: ReadonlyArray<Compression.Format> = ["gzip", "zstd"]

/** Returns how an object is compressed. It is compressed if its key has a suffix that its file's name does not have. */
export const compressionOf = (name: string, entry: Manifest.StoredObject | undefined): Compression.Mode => {
  const format = formats.find((each) => name.endsWith(Compression.keySuffixes[each]))
  if (format === undefined) return "none"
  const suffix = Compression.keySuffixes[format]
  const isCompressed =
    entry === undefined ? Snapshot.hasLines(name.slice(0, -suffix.length)) : !entry.file.endsWith(suffix)
  return isCompressed ? format : "none"
}

/** Whether an object may hold earlier content of a file that now has a later generation. */
export const isOlderGeneration = (name: string, { entries, generations }: Known): boolean =>
  !entries.has(name) &&
  Compression.possibleSources(name).some(({ generation, path }) => generation < (generations.get(path) ?? 1))

/** A live object becomes a finding if no run has stored it as final within two intervals plus this time. */
const graceSeconds = 3600

export const againstManifest = (
  known: Known,
  objects: ReadonlyArray<FoundObject>,
  directory: string,
  now: number,
  add: (finding: Finding.Finding) => void
): void => {
  const { entries, manifest } = known
  const present = new Set(objects.map(({ name }) => name.slice(directory.length)))
  const finalBy = (entry: Manifest.StoredObject) =>
    Date.parse(entry.storedAt) + (2 * manifest.runIntervalSeconds + graceSeconds) * 1000
  for (const [name, entry] of entries) {
    if (!present.has(name))
      add({ kind: "missing", file: directory + name, detail: "its manifest lists it, and it is not there" })
    else if (entry.state === "live" && entry.current && finalBy(entry) < now)
      add({
        kind: "stayed-live",
        file: directory + name,
        detail: `no run has stored it as final since ${entry.storedAt}`
      })
  }
  for (const name of present)
    if (!entries.has(name) && !isOlderGeneration(name, known))
      add({ kind: "not-listed", file: directory + name, detail: "its manifest does not list it" })
  const named = (file: string) => directory + file.slice(manifest.directory.length)
  for (const file of manifest.lost)
    add({ kind: "lost", file: named(file), detail: "the host deleted it before it was completely stored" })
  for (const file of manifest.endNotSeen)
    add({ kind: "end-not-seen", file: named(file), detail: "the host deleted it while its object was live" })
  for (const { file, since } of manifest.pending)
    add({ kind: "pending", file: named(file), detail: `the host has content that is not stored, since ${since}` })
}
