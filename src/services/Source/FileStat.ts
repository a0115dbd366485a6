/** Reads a file's metadata, and derives its state and the bytes to send. */
import { constants, promises as fs, lstatSync, statSync } from "node:fs"
import type { Settings } from "../../domain/Settings.ts"
import * as Snapshot from "../../domain/Snapshot.ts"
import type { FileStat, SourceFile } from "../../domain/SourceFile.ts"
import { codeOf } from "../SystemError.ts"

export type Options = Pick<Settings, "input" | "followSymlinks" | "finalAfter">

/** The part of an open file that is sent. */
export interface SourceInfo extends Snapshot.Extent {
  readonly state: Snapshot.State
  /** Stat of the whole file when it was opened. */
  readonly stat: FileStat
}

/** Whether a file may still grow, judged by its name, its modification time and the clock. */
export const stateOf = (
  { relativePath }: SourceFile,
  stat: FileStat,
  nowMillis: number,
  { finalAfter }: Pick<Settings, "finalAfter">
): Snapshot.State =>
  Snapshot.stateAt({ relativePath, modifiedMillis: modifiedMillis(stat, nowMillis) }, nowMillis, finalAfter)

/**
 * When the content last changed, in milliseconds since 1970. A modification time in the future was set by a program, so
 * the time of the inode's last change is used instead: the content has not changed since then.
 */
export const modifiedMillis = ({ ctimeNs, mtimeNs }: Pick<FileStat, "ctimeNs" | "mtimeNs">, nowMillis: number) => {
  const modified = Number(mtimeNs / 1_000_000n)
  return modified <= nowMillis ? modified : Number(ctimeNs / 1_000_000n)
}

/** `lineBytes` has the same meaning as for `Snapshot.extentOf`. Undefined if the file has no complete line yet. */
export const inspect = (
  file: SourceFile,
  stat: FileStat,
  lineBytes: number | undefined,
  nowMillis: number,
  options: Options
): SourceInfo | undefined => {
  const state = stateOf(file, stat, nowMillis, options)
  const extent = Snapshot.extentOf(state, Number(stat.size), lineBytes)
  return extent && { ...extent, state, stat }
}

const quietly = { bigint: true, throwIfNoEntry: false } as const

/** Undefined on any error: opening the file will report it. */
export const stat = (file: SourceFile, { followSymlinks }: Pick<Settings, "followSymlinks">): FileStat | undefined => {
  try {
    // synchronous, because the thread pool takes several times as long
    return followSymlinks ? statSync(file.path, quietly) : lstatSync(file.path, quietly)
  } catch {
    return undefined
  }
}

/** Like `stat`, but in the thread pool. */
export const statLater = (
  { path }: SourceFile,
  { followSymlinks }: Pick<Settings, "followSymlinks">
): Promise<FileStat | undefined> =>
  (followSymlinks ? fs.stat(path, { bigint: true }) : fs.lstat(path, { bigint: true })).catch(() => undefined)

/** Whether each path exists. True even if the file system cannot tell, for example for lack of permission. */
export const exist = (paths: ReadonlyArray<string>): Promise<ReadonlyArray<boolean>> =>
  Promise.all(
    paths.map((path) =>
      fs.lstat(path).then(
        () => true,
        (cause) => !["ENOENT", "ENOTDIR"].includes(codeOf(cause) ?? "")
      )
    )
  )

/** `O_NONBLOCK`, so that opening a FIFO that replaced the file does not hang the run. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK

/** The flags to open a file for reading. */
export const flagsFor = ({ followSymlinks }: Pick<Settings, "followSymlinks">) =>
  followSymlinks ? flags : flags | constants.O_NOFOLLOW
