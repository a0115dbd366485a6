/** What can be told of a file without reading it. */
import { constants, lstatSync, statSync } from "node:fs"
import type { Settings } from "../../domain/Settings.ts"
import * as Snapshot from "../../domain/Snapshot.ts"
import type { FileStat, SourceFile } from "../../domain/SourceFile.ts"

export type Options = Pick<Settings, "followSymlinks" | "finalAfter">

/** Whether a file may still be written to, by its name, its time of change, and the clock. */
export const stateOf = (
  { relativePath }: SourceFile,
  { mtimeNs }: FileStat,
  nowMillis: number,
  { finalAfter }: Pick<Settings, "finalAfter">
): Snapshot.State =>
  Snapshot.stateAt({ relativePath, modifiedMillis: Number(mtimeNs / 1_000_000n) }, nowMillis, finalAfter)

const quietly = { bigint: true, throwIfNoEntry: false } as const

/** What can be told of a file without opening it; undefined where opening it will tell why that is nothing. */
export const stat = (file: SourceFile, { followSymlinks }: Pick<Settings, "followSymlinks">): FileStat | undefined => {
  try {
    // at once, for the same reason as the traversal reads
    return followSymlinks ? statSync(file.path, quietly) : lstatSync(file.path, quietly)
  } catch {
    return undefined
  }
}

/** `O_NONBLOCK`, so that a FIFO that took a file's place does not hang the run. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK

/** How a file is opened to be read. */
export const flagsFor = ({ followSymlinks }: Options) => (followSymlinks ? flags : flags | constants.O_NOFOLLOW)
