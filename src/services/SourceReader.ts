/**
 * One consistent look at one file: opened once, its size taken from the descriptor, exactly those bytes read; and of a
 * file of lines that may still be written to, none of a line that is not whole yet.
 */
import { Clock, Data, Effect, type Scope } from "effect"
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  promises as fs,
  readSync,
  statSync
} from "node:fs"
import type { SourceUnreadable } from "../domain/Errors.ts"
import type { Settings } from "../domain/Settings.ts"
import * as Snapshot from "../domain/Snapshot.ts"
import type { Outside, SourceFile } from "../domain/SourceFile.ts"
import { type Handle, immediate, newline, pieces, readAll, unreadable, type View, wholeLines } from "./SourceBytes.ts"
import * as SourceParts from "./SourceParts.ts"
import { codeOf } from "./SystemError.ts"

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
  readonly outside: Outside
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

/** Whether a file may still be written to, by its name, its time of change, and the clock. */
export const stateOf = (
  { relativePath }: SourceFile,
  { mtimeNs }: Outside,
  nowMillis: number,
  { finalAfter }: Pick<Settings, "finalAfter">
): Snapshot.State =>
  Snapshot.stateOf({ relativePath, modifiedMillis: Number(mtimeNs / 1_000_000n) }, nowMillis, finalAfter)

const quietly = { bigint: true, throwIfNoEntry: false } as const

/** What can be told of a file without opening it; undefined where opening it will tell why that is nothing. */
export const look = (file: SourceFile, { followSymlinks }: Pick<Settings, "followSymlinks">): Outside | undefined => {
  try {
    // at once, for the same reason as the traversal reads
    return followSymlinks ? statSync(file.path, quietly) : lstatSync(file.path, quietly)
  } catch {
    return undefined
  }
}

/** `O_NONBLOCK`, so that a FIFO that took a file's place does not hang the run. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK

/** Bytes. */
export const small = 64 * 1024

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
  const answered = ({ path }: SourceFile) =>
    Effect.suspend(() => {
      if (performance.now() - answeredAt < answering) return Effect.void
      return Effect.promise(async () => {
        await fs.lstat(path).catch(() => undefined)
        answeredAt = performance.now()
      })
    })

  return {
    answered,
    use: <A, E, R>(
      file: SourceFile,
      what: (source: OpenSource) => Effect.Effect<A, E, R>
    ): Effect.Effect<A, E | OpenError, R> =>
      Effect.zipRight(
        answered(file),
        Effect.acquireUseRelease(
          Effect.try({ try: () => openSmall(file, options), catch: openError(file, options) }),
          (opened) =>
            opened === undefined
              ? Effect.scoped(Effect.flatMap(open(file, options), what))
              : Effect.flatMap(seen(file, immediate(opened.fd), opened.outside, options), what),
          (opened) => Effect.sync(() => opened && closeSync(opened.fd))
        )
      )
  }
}

export type Options = Pick<Settings, "followSymlinks" | "finalAfter">

const flagsFor = ({ followSymlinks }: Options) => (followSymlinks ? flags : flags | constants.O_NOFOLLOW)

/** Undefined if it is not small. */
const openSmall = (file: SourceFile, options: Options) => {
  const fd = openSync(file.path, flagsFor(options))
  const outside = fstatSync(fd, { bigint: true })
  if (!outside.isFile() || outside.size <= small) return { fd, outside }
  closeSync(fd)
  return undefined
}

/** All of a small file, as far as it is sent. */
export interface SmallSource extends Pick<OpenSource, "state" | "outside" | "torn"> {
  readonly bytes: Uint8Array
}

/**
 * Reads a small file at once, into memory that `room` gives; undefined where there is something that `use` has to tell,
 * or to do.
 */
export const readSmall = (
  file: SourceFile,
  options: Options,
  nowMillis: number,
  room: (sizeBytes: number) => Buffer
): SmallSource | undefined => {
  let fd: number | undefined
  try {
    const opened = openSmall(file, options)
    fd = opened?.fd
    if (opened === undefined || !opened.outside.isFile()) return undefined
    const { outside } = opened
    const all = room(Number(outside.size))
    if (readSync(opened.fd, all, 0, all.length, 0) < all.length) return undefined
    const state = stateOf(file, outside, nowMillis, options)
    const hasLines = Snapshot.hasLines(file.relativePath)
    const lines = hasLines ? all.lastIndexOf(newline) + 1 : all.length
    if (state === "live" && hasLines && (lines === 0 || lines < all.length)) return undefined
    return { bytes: all, state, outside, torn: lines < all.length }
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
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
    const outside = yield* Effect.tryPromise({
      try: () => handle.stat({ bigint: true }),
      catch: unreadable(file.path)
    })
    return yield* seen(file, handle, outside, options)
  })

/** What there is to be read of an open file. */
const seen = (
  file: SourceFile,
  handle: Handle,
  outside: BigIntStats,
  options: Options
): Effect.Effect<OpenSource, OpenError> =>
  Effect.gen(function* () {
    if (!outside.isFile()) return yield* new NotRegular({ why: "special" })
    const { relativePath } = file
    const now = yield* Clock.currentTimeMillis
    const fileBytes = Number(outside.size)
    const state = stateOf(file, outside, now, options)
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
      outside,
      sizeBytes,
      wholeLines: hasLines && lines === sizeBytes
    }
    return {
      path: file.path,
      sizeBytes,
      state,
      outside,
      torn: lines < sizeBytes,
      bytes: Effect.tryPromise({ try: () => readAll(view), catch: unreadable(file.path) }),
      pieces: (firstBytes = sizeBytes) => pieces(view, Math.min(firstBytes, fileBytes)),
      parts: SourceParts.of(view)
    }
  })

export type OpenError = SourceUnreadable | Vanished | NotRegular | NotReady
