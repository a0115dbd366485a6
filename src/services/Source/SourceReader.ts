/**
 * One consistent look at one file: opened once, its size taken from the descriptor, exactly those bytes read; and of a
 * file of lines that may still be written to, none of a line that is not whole yet.
 */
import { Clock, Data, Effect, type Scope } from "effect"
import { type BigIntStats, closeSync, promises as fs } from "node:fs"
import type { SourceUnreadable } from "../../domain/Errors.ts"
import * as Snapshot from "../../domain/Snapshot.ts"
import type { FileStat, SourceFile } from "../../domain/SourceFile.ts"
import * as SmallFile from "./SmallFile.ts"
import { type Handle, immediate, pieces, readAll, unreadable, type View, wholeLines } from "./OpenFile.ts"
import { flagsFor, type Options, stateOf } from "./FileStat.ts"
import * as SourceParts from "./SourceParts.ts"
import { codeOf } from "../SystemError.ts"

/** The file was rotated away before it could be opened. */
export class Vanished extends Data.TaggedError("Vanished") {}
/** Not a regular file. */
export class NotRegular extends Data.TaggedError("NotRegular")<{ readonly why: "symlink" | "special" }> {}

/** A file of lines without even one whole line. */
export class NotReady extends Data.TaggedError("NotReady") {}

export interface OpenSource {
  /** As the system opens it. */
  readonly path: string
  /** Of the content as it is seen here; the file may be larger. */
  readonly sizeBytes: number
  readonly state: Snapshot.State
  /** Of the whole file, when it was opened. */
  readonly stat: FileStat
  /** A final file of lines that does not end with one: whoever wrote it was cut off. */
  readonly torn: boolean
  /** The whole content. */
  readonly bytes: Effect.Effect<Uint8Array, SourceUnreadable>
  /**
   * The whole content, or the file's first so many bytes, in pieces of at most `pieceBytes`. Throws `SourceUnreadable`.
   */
  readonly pieces: (firstBytes?: number) => AsyncIterable<Uint8Array>
  readonly parts: SourceParts.SourceParts
}

/** Milliseconds for which a file system is expected to answer at once that has just answered. */
const answering = 100

/**
 * Opens files, each for as long as it is used. A file that was opened can be read to its end even if it is unlinked
 * meanwhile.
 *
 * Small ones are opened and read at once, unless their file system may hang, as that of a server: then it is asked
 * first, through the thread pool, which keeps the program free for a signal or the deadline.
 */
export const make = (options: Options) => {
  let answeredAt = Number.NEGATIVE_INFINITY

  /** Waits until the file system of this file answers. */
  const untilResponsive = ({ path }: SourceFile) =>
    Effect.suspend(() => {
      if (performance.now() - answeredAt < answering) return Effect.void
      return Effect.promise(async () => {
        await fs.lstat(path).catch(() => undefined)
        answeredAt = performance.now()
      })
    })

  return {
    answered: untilResponsive,
    use: <A, E, R>(
      file: SourceFile,
      what: (source: OpenSource) => Effect.Effect<A, E, R>
    ): Effect.Effect<A, E | OpenError, R> =>
      Effect.zipRight(
        untilResponsive(file),
        Effect.acquireUseRelease(
          Effect.try({ try: () => SmallFile.open(file, options), catch: openError(file, options) }),
          (opened) =>
            opened === undefined
              ? Effect.scoped(Effect.flatMap(open(file, options), what))
              : Effect.flatMap(seen(file, immediate(opened.fd), opened.stat, options), what),
          (opened) => Effect.sync(() => opened && closeSync(opened.fd))
        )
      )
  }
}

const openError =
  ({ path }: SourceFile, { followSymlinks }: Options) =>
  (cause: unknown): OpenError => {
    const code = codeOf(cause)
    if (code === "ENOENT" || code === "ENOTDIR") return new Vanished()
    if (code === "ELOOP" && !followSymlinks) return new NotRegular({ why: "symlink" })
    // a socket, or a device without a driver
    return code === "ENXIO" ? new NotRegular({ why: "special" }) : unreadable(path)(cause)
  }

/** Opens a file of any size until the scope ends. */
export const open = (file: SourceFile, options: Options): Effect.Effect<OpenSource, OpenError, Scope.Scope> =>
  Effect.gen(function* () {
    const handle = yield* Effect.acquireRelease(
      Effect.tryPromise({ try: () => fs.open(file.path, flagsFor(options)), catch: openError(file, options) }),
      (handle) => Effect.ignore(Effect.tryPromise(() => handle.close()))
    )
    const stat = yield* Effect.tryPromise({
      try: () => handle.stat({ bigint: true }),
      catch: unreadable(file.path)
    })
    return yield* seen(file, handle, stat, options)
  })

/** What there is to be read of an open file. */
const seen = (
  file: SourceFile,
  handle: Handle,
  stat: BigIntStats,
  options: Options
): Effect.Effect<OpenSource, OpenError> =>
  Effect.gen(function* () {
    if (!stat.isFile()) return yield* new NotRegular({ why: "special" })
    const { relativePath } = file
    const now = yield* Clock.currentTimeMillis
    const fileBytes = Number(stat.size)
    const state = stateOf(file, stat, now, options)
    const hasLines = Snapshot.hasLines(relativePath)
    const lines = hasLines
      ? yield* Effect.tryPromise({ try: () => wholeLines(handle, fileBytes), catch: unreadable(file.path) })
      : fileBytes
    if (state === "live" && lines === 0 && hasLines) return yield* new NotReady()
    // nothing will complete the last line of a final file: what there is of it is better than nothing
    const sizeBytes = state === "final" ? fileBytes : lines
    const view: View = {
      handle,
      path: file.path,
      stat,
      sizeBytes,
      wholeLines: hasLines && lines === sizeBytes
    }
    return {
      path: file.path,
      sizeBytes,
      state,
      stat,
      torn: lines < sizeBytes,
      bytes: Effect.tryPromise({ try: () => readAll(view), catch: unreadable(file.path) }),
      pieces: (firstBytes = sizeBytes) => pieces(view, Math.min(firstBytes, fileBytes)),
      parts: SourceParts.of(view)
    }
  })

export type OpenError = SourceUnreadable | Vanished | NotRegular | NotReady
