/** Small files are opened and read synchronously: through the thread pool, the same steps take seven times as long. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import * as Snapshot from "../../domain/Snapshot.ts"
import type { SourceFile } from "../../domain/SourceFile.ts"
import * as Descriptors from "../Descriptors.ts"
import type { Containment } from "./Containment.ts"
import * as FileStat from "./FileStat.ts"
import { newline } from "./OpenFile.ts"

/** Bytes of the largest small file. */
export const maxSmallBytes = 64 * 1024

/** Opens a small file. Undefined if the file is not small, or if no file descriptor is free. The caller closes `fd`. */
export const open = (file: SourceFile, options: FileStat.Options, contain: Containment) => {
  const fd = openDescriptor(file, options)
  if (fd === undefined) return undefined
  let isOpen = false
  try {
    contain(fd, file)
    const stat = fstatSync(fd, { bigint: true })
    isOpen = !stat.isFile() || stat.size <= maxSmallBytes
    return isOpen ? { fd, stat } : undefined
  } finally {
    if (!isOpen) closeSync(fd)
  }
}

const openDescriptor = ({ path }: SourceFile, options: FileStat.Options) => {
  try {
    return openSync(path, FileStat.flagsFor(options))
  } catch (cause) {
    if (Descriptors.isExhausted(cause)) return undefined
    throw cause
  }
}

/** A small file in memory. */
export interface SmallSource extends FileStat.SourceInfo {
  readonly bytes: Uint8Array
}

/**
 * Reads a whole small file into a buffer from `allocate`. Undefined for a file that `SourceReader` must handle: one
 * that cannot be read, is remote, not regular or not small, or is live and ends in an incomplete line.
 */
export const read = (
  file: SourceFile,
  options: FileStat.Options,
  contain: Containment,
  nowMillis: number,
  allocate: (sizeBytes: number) => Buffer
): SmallSource | undefined => {
  if (file.isRemote) return undefined
  let fd: number | undefined
  try {
    const opened = open(file, options, contain)
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
