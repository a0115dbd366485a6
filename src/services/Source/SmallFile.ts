/** Small files are opened and read at once: to ask the thread pool for each step takes seven times as long. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import * as Snapshot from "../../domain/Snapshot.ts"
import type { FileStat, SourceFile } from "../../domain/SourceFile.ts"
import { newline } from "./OpenFile.ts"
import { flagsFor, type Options, stateOf } from "./FileStat.ts"

/** Bytes of the largest. */
export const maxSmallBytes = 64 * 1024

/** Undefined if it is not small. */
export const open = (file: SourceFile, options: Options) => {
  const fd = openSync(file.path, flagsFor(options))
  const stat = fstatSync(fd, { bigint: true })
  if (!stat.isFile() || stat.size <= maxSmallBytes) return { fd, stat }
  closeSync(fd)
  return undefined
}

/** All of a small file, as far as it is sent. */
export interface SmallSource {
  readonly bytes: Uint8Array
  readonly state: Snapshot.State
  /** Of the file, when it was opened. */
  readonly stat: FileStat
  /** A final file of lines that does not end with one: whoever wrote it was cut off. */
  readonly torn: boolean
}

/**
 * Reads a small file at once, into memory that `room` gives; undefined where there is something that `SourceReader` has to tell,
 * or to do.
 */
export const read = (
  file: SourceFile,
  options: Options,
  nowMillis: number,
  room: (sizeBytes: number) => Buffer
): SmallSource | undefined => {
  let fd: number | undefined
  try {
    const opened = open(file, options)
    fd = opened?.fd
    if (opened === undefined || !opened.stat.isFile()) return undefined
    const { stat } = opened
    const all = room(Number(stat.size))
    if (readSync(opened.fd, all, 0, all.length, 0) < all.length) return undefined
    const state = stateOf(file, stat, nowMillis, options)
    const hasLines = Snapshot.hasLines(file.relativePath)
    const lines = hasLines ? all.lastIndexOf(newline) + 1 : all.length
    if (state === "live" && hasLines && (lines === 0 || lines < all.length)) return undefined
    return { bytes: all, state, stat, torn: lines < all.length }
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
