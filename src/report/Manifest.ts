/** A manifest lists what the bucket holds of one directory, so that a reader can prove that nothing is missing. */
import { Schema } from "effect"
import { manifestName } from "../domain/ManifestDirectory.ts"
import type { ManifestedFile, ManifestedObject } from "../domain/ManifestedFile.ts"
import { Count, described, optional } from "./Report.ts"

const StoredObject = Schema.Struct({
  key: described(Schema.String, "of the object; it begins with prefix and directory"),
  file: described(Schema.String, "path of the file below --input"),
  current: described(Schema.Boolean, "false: the file now goes to another key, and this object stays as it is"),
  generation: described(Count, "1, unless content that was stored before may not be replaced"),
  state: described(Schema.Literal("final", "live"), "live: a later run may replace the object by a longer one"),
  appendOnly: described(Schema.Boolean, "a later object of this key begins with the content described here"),
  bytes: described(Count, "bytes of the content, before compression"),
  objectBytes: optional(Count, "bytes of the object"),
  sha256: optional(Schema.String, "SHA-256 of the content before compression, in hexadecimal"),
  lines: optional(Count, "number of complete lines"),
  firstTsUnixSec: optional(Schema.Number, "ts_unix_sec of the first complete line"),
  lastTsUnixSec: optional(Schema.Number, "ts_unix_sec of the last complete line"),
  etag: optional(Schema.String, "ETag in the store's response, without quotes"),
  versionId: optional(Schema.String, "version of the object, if the bucket keeps versions"),
  storedAt: described(Schema.String, "when the store acknowledged the object: ISO 8601, UTC, by the host's clock")
})

/** A new field does not change `schemaVersion`. A change of meaning increments it. */
export const Manifest = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  tool: described(Schema.Struct({ name: Schema.String, version: Schema.String }), "the program that wrote this"),
  host: described(Schema.String, "name of the host"),
  machineId: optional(Schema.String, "the host's /etc/machine-id"),
  prefix: described(Schema.String, "the beginning of all keys, without slashes at its ends"),
  directory: described(Schema.String, "below the prefix, with a slash at its end; empty: the prefix itself"),
  collectorRunId: optional(Schema.String, "run_id of the latest line"),
  intervalSeconds: optional(Schema.Number, "interval_sec of the latest line: the time between two lines"),
  runIntervalSeconds: described(Count, "the expected time between two runs of ibsr-export, in whole minutes"),
  files: described(Schema.Array(StoredObject), "what the store has acknowledged, sorted by key"),
  pending: described(
    Schema.Array(Schema.Struct({ file: Schema.String, since: Schema.String })),
    "files with content that is not stored yet; since is ISO 8601, UTC"
  ),
  lost: described(
    Schema.Array(Schema.String),
    "files that were deleted on the host before they were completely stored"
  ),
  endNotSeen: described(
    Schema.Array(Schema.String),
    "files that were deleted on the host while their objects were live; nothing shows that a line is missing"
  )
}).annotations({
  title: manifestName,
  description: "What the bucket holds of one directory. null: not known, because the file was stored without --manifest"
})
export type Manifest = typeof Manifest.Type
export type StoredObject = typeof StoredObject.Type

export interface Origin {
  readonly version: string
  readonly host: string
  readonly machineId: string | undefined
  readonly prefix: string
  /** Expected time between two runs, in milliseconds. */
  readonly runInterval: number
}

const isoTime = (millis: number) => new Date(millis).toISOString()
const byKey = (a: { readonly key: string }, b: { readonly key: string }) => (a.key < b.key ? -1 : 1)

export const make = (
  { host, machineId, prefix, runInterval, version }: Origin,
  directory: string,
  files: ReadonlyArray<ManifestedFile>,
  isAppendOnly: (path: string) => boolean
): Manifest => {
  const latest = files
    .flatMap(({ objects }) => objects)
    .filter(({ lastTime }) => lastTime !== null)
    .reduce<ManifestedObject | undefined>((a, b) => (a === undefined || b.lastTime! > a.lastTime! ? b : a), undefined)
  return {
    schemaVersion: 1,
    tool: { name: "ibsr-export", version },
    host,
    machineId: machineId ?? null,
    prefix,
    directory,
    collectorRunId: latest?.collectorRun ?? null,
    intervalSeconds: latest?.intervalSeconds ?? null,
    // rounded to the minute: a timer is never exact, and the manifest should not change with each run
    runIntervalSeconds: 60 * Math.max(1, Math.round(runInterval / 60_000)),
    files: files.flatMap((file) => objectsOf(file, isAppendOnly(file.path))).sort(byKey),
    pending: files.flatMap(({ fate, path, pendingSince }) =>
      pendingSince === null || fate !== null ? [] : [{ file: path, since: isoTime(pendingSince) }]
    ),
    lost: files.filter(({ fate }) => fate === "lost").map(({ path }) => path),
    endNotSeen: files.filter(({ fate }) => fate === "gone").map(({ path }) => path)
  }
}

const objectsOf = ({ objects, path }: ManifestedFile, appendOnly: boolean): ReadonlyArray<StoredObject> =>
  objects.map((object, at) => ({
    key: object.key,
    file: path,
    current: at === objects.length - 1,
    generation: object.generation,
    state: object.state,
    appendOnly,
    bytes: object.sizeBytes,
    objectBytes: object.objectBytes,
    sha256: object.sha256,
    lines: object.lines,
    firstTsUnixSec: object.firstTime,
    lastTsUnixSec: object.lastTime,
    etag: object.etag,
    versionId: object.versionId,
    storedAt: isoTime(object.storedAt)
  }))

/** One line, so that the manifests of many directories can follow each other in one file. */
export const render = (manifest: Manifest): string => `${JSON.stringify(manifest)}\n`
