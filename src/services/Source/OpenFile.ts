/** Reads exactly the bytes that a file had when it was opened. Fails if the file is truncated in the meantime. */
import { fstatSync, readSync } from "node:fs"
import { headBytes } from "../../domain/ContentDigest.ts"
import { SourceUnreadable } from "../../domain/Errors.ts"
import type { FileStat } from "../../domain/SourceFile.ts"
import { codeOf, detailOf } from "../SystemError.ts"

/**
 * Bytes of a piece. A piece must be small, because a part keeps the rest of its last piece in memory. It must not be
 * tiny, because each piece costs a round trip through the thread pool.
 */
export const pieceBytes = 256 * 1024

export const unreadable = (path: string) => (cause: unknown) =>
  cause instanceof SourceUnreadable
    ? cause
    : new SourceUnreadable({ path, detail: detailOf(cause), code: codeOf(cause), cause })

export const newline = 0x0a

const truncatedCode = "TRUNCATED"

const truncated = (path: string) =>
  new SourceUnreadable({
    path,
    detail: "it was truncated while it was read",
    code: truncatedCode,
    advice: "something truncates it (logrotate's copytruncate?); the next run sends its new content"
  })

/** Whether the file was truncated while it was read. Reopening it may help, because it may have stopped changing. */
export const isTruncated = (error: { readonly _tag: string; readonly code?: unknown }): boolean =>
  error._tag === "SourceUnreadable" && error.code === truncatedCode

/** An open file. */
export interface Handle {
  readonly fd: number
  readonly read: (buffer: Uint8Array, offset: number, length: number, at: number) => Promise<{ bytesRead: number }>
  readonly stat: (options: { readonly bigint: true }) => Promise<FileStat>
}

/** Reads synchronously, for small local files: a round trip through the thread pool takes seven times as long. */
export const immediate = (fd: number): Handle => ({
  fd,
  read: async (buffer, offset, length, position) => ({ bytesRead: readSync(fd, buffer, offset, length, position) }),
  stat: async (options) => fstatSync(fd, options)
})

/** The bytes of an open file that are sent. */
export interface View {
  readonly handle: Handle
  readonly path: string
  readonly stat: FileStat
  readonly sizeBytes: number
  /** Whether the view ends with a line break. */
  readonly wholeLines: boolean
}

const readAt = ({ handle, path }: View, buffer: Uint8Array, at: number) =>
  handle.read(buffer, 0, buffer.length, at).catch((cause) => {
    throw unreadable(path)(cause)
  })

export async function* pieces(view: View, firstBytes: number): AsyncGenerator<Uint8Array> {
  const { path, sizeBytes } = view
  let at = 0
  let head = new Uint8Array()
  let last: number | undefined
  while (at < firstBytes) {
    const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, firstBytes - at))
    const { bytesRead } = await readAt(view, piece, at)
    if (bytesRead === 0) throw truncated(path)
    if (at === 0) head = Uint8Array.from(piece.subarray(0, Math.min(headBytes, bytesRead)))
    at += bytesRead
    last = at === sizeBytes ? piece[bytesRead - 1] : undefined
    yield piece.subarray(0, bytesRead)
  }
  await checkUndisturbed(view, head, last)
}

/** Fills the buffer with the bytes of the view from `position` on. */
export const readInto = async ({ handle, path }: View, buffer: Uint8Array, position: number) => {
  for (let filled = 0; filled < buffer.length;) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled)
    if (bytesRead === 0) throw truncated(path)
    filled += bytesRead
  }
}

export const readAll = async (view: View) => {
  const body = Buffer.allocUnsafeSlow(view.sizeBytes)
  await readInto(view, body, 0)
  await checkUndisturbed(view, body.subarray(0, headBytes), body.at(-1))
  return body
}

/**
 * Fails if the file was truncated while it was read, even if it has grown again: its first bytes differ from `head`, or
 * a view of whole lines does not end with a line break. `last` is the view's last byte; undefined if it was not read.
 */
export const checkUndisturbed = async (view: View, head: Uint8Array, last: number | undefined) => {
  const { handle, path, sizeBytes, stat } = view
  const { ctimeNs, mtimeNs, size } = await handle.stat({ bigint: true })
  if (ctimeNs === stat.ctimeNs && mtimeNs === stat.mtimeNs && size === stat.size) return
  const headNow = Buffer.alloc(head.length)
  await readAt(view, headNow, 0)
  if (size < sizeBytes || !headNow.equals(head) || (view.wholeLines && last !== undefined && last !== newline)) {
    throw truncated(path)
  }
}

/**
 * The maximum length of a line that is searched for. A collector's line for 100,000 addresses has 5 MB. The limit also
 * bounds the work for a huge sparse file.
 */
export const maxLineBytes = 64 * 1024 ** 2

/**
 * Number of bytes up to and including the last line break: 0 if there is none, undefined if there is none in the last
 * `maxLineBytes` of a larger file. Searches from the end, a piece at a time.
 */
export const wholeLines = async (handle: Handle, sizeBytes: number): Promise<number | undefined> => {
  let end = sizeBytes
  // first checks only the last byte, which is nearly always a line break
  for (let length = 1; end > 0; length = pieceBytes) {
    if (sizeBytes - end > maxLineBytes) return undefined
    const start = Math.max(0, end - length)
    const piece = Buffer.allocUnsafe(end - start)
    const { bytesRead } = await handle.read(piece, 0, piece.length, start)
    const at = piece.subarray(0, bytesRead).lastIndexOf(newline)
    if (at >= 0) return start + at + 1
    end = start
  }
  return 0
}
