/**
 * One consistent look at one file: opened once, its size taken from the descriptor, exactly those bytes read; and of a
 * file of lines that may still be written to, none of a line that is not whole yet.
 */
import { Clock, Data, Effect, type Scope } from "effect"
import { constants, fstatSync, lstatSync, promises as fs, statSync } from "node:fs"
import { headBytes } from "../domain/Content.ts"
import { SourceUnreadable } from "../domain/Errors.ts"
import type { Settings } from "../domain/Settings.ts"
import * as Snapshot from "../domain/Snapshot.ts"
import type { Outside, SourceFile } from "../domain/SourceFile.ts"
import { codeOf, detailOf } from "./SystemError.ts"

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
}

/**
 * Bytes of a piece. Parts are put together from pieces, and keep the rest of their last one alive: small, so that this
 * costs little memory; not tiny, because each costs a round through the thread pool.
 */
export const pieceBytes = 256 * 1024

const unreadable = (path: string) => (cause: unknown) =>
  cause instanceof SourceUnreadable
    ? cause
    : new SourceUnreadable({
        path,
        detail: detailOf(cause),
        code: codeOf(cause),
        cause
      })

const newline = 0x0a

const truncated = (path: string) =>
  new SourceUnreadable({
    path,
    detail: "it was truncated while it was read",
    code: truncatedCode,
    advice: "something truncates it (logrotate's copytruncate?); the next run sends what it has become"
  })

const truncatedCode = "TRUNCATED"
/** It was truncated while it was read; another look may find it at rest. */
export const isTruncated = (error: { readonly _tag: string; readonly code?: unknown }): boolean =>
  error._tag === "SourceUnreadable" && error.code === truncatedCode

/** What of an open file is read. */
interface View {
  readonly handle: fs.FileHandle
  readonly path: string
  readonly outside: Outside
  readonly sizeBytes: number
  /** It was cut to whole lines, and so has to end with one. */
  readonly wholeLines: boolean
}

async function* pieces(view: View, firstBytes: number): AsyncGenerator<Uint8Array> {
  const { handle, path, sizeBytes } = view
  let at = 0
  let head = new Uint8Array()
  let last: number | undefined
  while (at < firstBytes) {
    const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, firstBytes - at))
    const { bytesRead } = await handle.read(piece, 0, piece.length, at).catch((cause) => {
      throw unreadable(path)(cause)
    })
    if (bytesRead === 0) throw truncated(path)
    if (at === 0) head = Uint8Array.from(piece.subarray(0, Math.min(headBytes, bytesRead)))
    at += bytesRead
    last = at === sizeBytes ? piece[bytesRead - 1] : undefined
    yield piece.subarray(0, bytesRead)
  }
  await checkUndisturbed(view, head, last)
}

const readAll = async (view: View) => {
  const { handle, path, sizeBytes } = view
  const body = Buffer.allocUnsafeSlow(sizeBytes)
  let at = 0
  while (at < sizeBytes) {
    const { bytesRead } = await handle.read(body, at, sizeBytes - at, at)
    if (bytesRead === 0) throw truncated(path)
    at += bytesRead
  }
  await checkUndisturbed(view, body.subarray(0, headBytes), body.at(-1))
  return body
}

/**
 * Fails if the file was truncated while it was read, also if it has grown since to what it was: then its beginning is
 * another, or the end that was read is not one of a line. `last` is the last byte of the view, if it was read.
 */
const checkUndisturbed = async (
  { handle, outside, path, sizeBytes, wholeLines }: View,
  head: Uint8Array,
  last?: number
) => {
  const { mtimeNs, size } = fstatSync(handle.fd, { bigint: true })
  if (mtimeNs === outside.mtimeNs && size === outside.size) return
  const again = Buffer.alloc(head.length)
  await handle.read(again, 0, head.length, 0).catch((cause) => {
    throw unreadable(path)(cause)
  })
  if (size < sizeBytes || !again.equals(head) || (wholeLines && last !== undefined && last !== newline)) {
    throw truncated(path)
  }
}

/** Bytes up to the last line break and with it; found from the end, a piece at a time. */
const wholeLines = async (handle: fs.FileHandle, sizeBytes: number) => {
  let end = sizeBytes
  // nearly always the last byte is it
  for (let length = 1; end > 0; length = pieceBytes) {
    const start = Math.max(0, end - length)
    const piece = Buffer.allocUnsafe(end - start)
    const { bytesRead } = await handle.read(piece, 0, piece.length, start)
    const at = piece.subarray(0, bytesRead).lastIndexOf(newline)
    if (at >= 0) return start + at + 1
    end = start
  }
  return 0
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

/** Opens a file until the scope ends. A file that was opened can be read to its end even if it is unlinked meanwhile. */
export const open = (
  file: SourceFile,
  options: Pick<Settings, "followSymlinks" | "finalAfter">
): Effect.Effect<OpenSource, OpenError, Scope.Scope> =>
  Effect.gen(function* () {
    const handle = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () => fs.open(file.path, options.followSymlinks ? flags : flags | constants.O_NOFOLLOW),
        catch: (cause) => {
          const code = codeOf(cause)
          if (code === "ENOENT" || code === "ENOTDIR") return new Vanished()
          if (code === "ELOOP" && !options.followSymlinks) return new NotRegular({ why: "symlink" })
          // a socket, or a device without a driver
          if (code === "ENXIO") return new NotRegular({ why: "special" })
          return unreadable(file.path)(cause)
        }
      }),
      (handle) => Effect.ignore(Effect.tryPromise(() => handle.close()))
    )
    const outside = yield* Effect.tryPromise({
      try: () => handle.stat({ bigint: true }),
      catch: unreadable(file.path)
    })
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
      pieces: (firstBytes = sizeBytes) => pieces(view, Math.min(firstBytes, fileBytes))
    }
  })

export type OpenError = SourceUnreadable | Vanished | NotRegular | NotReady
