/** Small files are opened and read synchronously: through the thread pool, the same steps take seven times as long. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import * as Snapshot from "../../domain/Snapshot.ts"
import type { SourceFile } from "../../domain/SourceFile.ts"
import * as FileStat from "./FileStat.ts"
import { newline } from "./OpenFile.ts"

/** Bytes of the largest small file. */
export const maxSmallBytes = 64 * 1024

/** Undefined if the file is not small. The caller closes `fd`. */
export const open = (file: SourceFile, options: FileStat.Options) => {
  const fd = openSync(file.path, FileStat.flagsFor(options))
  const stat = fstatSync(fd, { bigint: true })
  if (!stat.isFile() || stat.size <= maxSmallBytes) return { fd, stat }
  closeSync(fd)
  return undefined
}

/** A small file in memory. */
export interface SmallSource extends FileStat.SourceInfo {
  readonly bytes: Uint8Array
}

/**
 * Reads a whole small file into a buffer from `allocate`. Undefined where `SourceReader` must report or cut something:
 * an error, a file that is not regular or not small, an incomplete line in a live file.
 */
export const read = (
  file: SourceFile,
  options: FileStat.Options,
  nowMillis: number,
  allocate: (sizeBytes: number) => Buffer
): SmallSource | undefined => {
  let fd: number | undefined
  try {
    const opened = open(file, options)
    fd = opened?.fd
    if (opened === undefined || !opened.stat.isFile()) return undefined
    const bytes = allocate(Number(opened.stat.size))
    if (readSync(opened.fd, bytes, 0, bytes.length, 0) < bytes.length) return undefined
    const lineBytes = Snapshot.hasLines(file.relativePath) ? bytes.lastIndexOf(newline) + 1 : undefined
    const info = FileStat.inspect(file, opened.stat, lineBytes, nowMillis, options)
    return info?.sizeBytes === bytes.length ? { ...info, bytes } : undefined
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
