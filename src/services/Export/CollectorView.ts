/** Infers from the files in the input which directories a collector rotates and how long it keeps a snapshot. */
import { Duration, Effect } from "effect"
import { promises as fs } from "node:fs"
import { basename, dirname, join } from "node:path"
import type { StateUnusable } from "../../domain/Errors.ts"
import * as Retention from "../../domain/Retention.ts"
import * as RunDirectory from "../../domain/RunDirectory.ts"
import type { Settings } from "../../domain/Settings.ts"
import * as Snapshot from "../../domain/Snapshot.ts"
import type { OpenLedger } from "../Ledger.ts"
import * as FileStat from "../Source/FileStat.ts"

/** A directory that may contain snapshot files. */
export interface Directory {
  /** Whether a running collector rotates the directory. */
  readonly isRotated: boolean
  /** Path of the latest snapshot file that any run has seen in it, relative to the input. */
  readonly latestSnapshot: string | undefined
  /** How long the directory's collector keeps a snapshot, in milliseconds; undefined if unknown. */
  readonly retention: number | undefined
}

/** A collector that has not written for this long is not running. A running collector writes once a minute. */
const idleAfter = Duration.toMillis("10 minutes")

/** Examines each directory once. `now` is in milliseconds since 1970. */
export const make = (ledger: OpenLedger, settings: Pick<Settings, "input" | "retention">, now: number) => {
  let bounds = ledger.retention
  const directories = new Map<string, Directory>()
  const listings = new Map<string, Promise<ReadonlyArray<string>>>()

  /**
   * Lists the names in a directory, whose path is relative to the input. Returns none if the directory cannot be read.
   */
  const list = (directory: string) => {
    const listing = listings.get(directory) ?? fs.readdir(join(settings.input, directory)).catch(() => [])
    listings.set(directory, listing)
    return listing
  }

  /**
   * Whether the collector may still write to the directory: it is the newest run directory of its kind, or no run
   * directory, as with older collectors.
   */
  const isNewest = async (directory: string) => {
    const name = basename(directory)
    const run = RunDirectory.parse(name)
    return run === undefined || RunDirectory.current(await list(dirname(directory))).get(run.kind) === name
  }

  const changedAt = (path: string) =>
    fs.stat(join(settings.input, path), { bigint: true }).then(
      (stat) => FileStat.modifiedMillis(stat, now),
      () => 0
    )

  const inspect = async (directory: string) => {
    const names = await list(directory)
    const snapshots = names.filter((name) => Snapshot.hourOf(name) !== undefined).sort()
    const [oldest, newest] = [snapshots[0], snapshots.at(-1)]
    const changes = [newest, "status.jsonl"].flatMap((name) =>
      name === undefined ? [] : [changedAt(directory + name)]
    )
    const lastWrite = Math.max(...(await Promise.all(changes)))
    const isRotated = now - lastWrite <= idleAfter && (await isNewest(directory))
    return { oldest, newest, lastWrite, isRotated }
  }

  const view = (directory: string): Effect.Effect<Directory, StateUnusable> =>
    Effect.gen(function* () {
      const { isRotated, lastWrite, newest, oldest } = yield* Effect.promise(() => inspect(directory))
      const remembered = yield* ledger.latestSnapshot(directory)
      const present = newest === undefined ? undefined : directory + newest
      const latestSnapshot = present === undefined || (remembered ?? "") > present ? remembered : present
      if (!isRotated || oldest === undefined) return { isRotated, latestSnapshot, retention: undefined }
      const deleted = yield* ledger.latestSnapshot(directory, directory + oldest)
      const deletedHour = deleted === undefined ? undefined : Snapshot.hourOf(deleted)?.start
      // the observation in this directory takes precedence, because other collectors may have other settings
      bounds = Retention.merge(bounds, Retention.observe(lastWrite, Snapshot.hourOf(oldest)!.start, deletedHour))
      return { isRotated, latestSnapshot, retention: Retention.estimate(settings.retention, bounds) }
    })

  return {
    /**
     * Examines directories, and returns all directories examined so far. A directory's path is relative to the input
     * and ends in `/`; the input itself is the empty string.
     */
    look: (wanted: Iterable<string>): Effect.Effect<ReadonlyMap<string, Directory>, StateUnusable> =>
      Effect.gen(function* () {
        for (const directory of wanted)
          if (!directories.has(directory)) directories.set(directory, yield* view(directory))
        return directories
      }),
    /** Stores the retention observed so far in the ledger, for the next run. */
    remember: Effect.suspend(() => (bounds === undefined ? Effect.void : ledger.rememberRetention(bounds)))
  }
}
