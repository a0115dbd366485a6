/**
 * The bytes of an open file: as many as there were when it was opened, or a failure if they are not those any more.
 */
import { fstatSync, type promises as fs, readSync } from "node:fs"
import { headBytes } from "../../domain/ContentDigest.ts"
import { SourceUnreadable } from "../../domain/Errors.ts"
import type { FileStat } from "../../domain/SourceFile.ts"
import { codeOf, detailOf } from "../SystemError.ts"

/**
 * Bytes of a piece. Parts are put together from pieces, and keep the rest of their last one alive: small, so that this
 * costs little memory; not tiny, because each costs a round through the thread pool.
 */
export const pieceBytes = 256 * 1024

export const unreadable = (path: string) => (cause: unknown) =>
  cause instanceof SourceUnreadable
    ? cause
    : new SourceUnreadable({
        path,
        detail: detailOf(cause),
        code: codeOf(cause),
        cause
      })

export const newline = 0x0a

export const truncated = (path: string) =>
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

/** An open file. */
export type Handle = Pick<fs.FileHandle, "fd"> & {
  readonly read: (
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number
  ) => Promise<{ readonly bytesRead: number }>
}

/** Reads at once, for what is little and near: a turn through the thread pool takes seven times as long. */
export const immediate = (fd: number): Handle => ({
  fd,
  read: async (buffer, offset, length, position) => ({ bytesRead: readSync(fd, buffer, offset, length, position) })
})

/** What of an open file is read. */
export interface View {
  readonly handle: Handle
  readonly path: string
  readonly stat: FileStat
  readonly sizeBytes: number
  /** It was cut to whole lines, and so has to end with one. */
  readonly wholeLines: boolean
}

export async function* pieces(view: View, firstBytes: number): AsyncGenerator<Uint8Array> {
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

export const readAll = async (view: View) => {
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
export const checkUndisturbed = async (
  { handle, stat, path, sizeBytes, wholeLines }: View,
  head: Uint8Array,
  last?: number
) => {
  const { mtimeNs, size } = fstatSync(handle.fd, { bigint: true })
  if (mtimeNs === stat.mtimeNs && size === stat.size) return
  const again = Buffer.alloc(head.length)
  await handle.read(again, 0, head.length, 0).catch((cause) => {
    throw unreadable(path)(cause)
  })
  if (size < sizeBytes || !again.equals(head) || (wholeLines && last !== undefined && last !== newline)) {
    throw truncated(path)
  }
}

/** Bytes up to the last line break and with it; found from the end, a piece at a time. */
export const wholeLines = async (handle: Handle, sizeBytes: number) => {
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
