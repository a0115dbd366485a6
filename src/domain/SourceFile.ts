/** What a traversal finds below the input directory. */
import { Data } from "effect"
import type { SourceUnreadable } from "./Errors.ts"

/** A file that may be uploaded. */
export interface SourceFile {
  /** As the system opens it. */
  readonly path: string
  /** Relative to the input directory, `/`-separated. */
  readonly relativePath: string
}

/** What `stat` says of a file. While this stays the same, the content does. */
export interface FileStat {
  /** Bytes. */
  readonly size: bigint
  /** Time of the last change of the content, in nanoseconds since 1970. */
  readonly mtimeNs: bigint
  /** Device. */
  readonly dev: bigint
  /** Inode. */
  readonly ino: bigint
}

/** Why something was left out without being a failure. */
export type SkipReason =
  /** A symbolic link, without `--follow-symlinks`. */
  | "symlink"
  /** A symbolic link that leads nowhere, or back to a directory above it. */
  | "dead-link"
  /** A FIFO, socket or device: never opened. */
  | "special"

/** One thing found. */
export type Found = Data.TaggedEnum<{
  File: { readonly file: SourceFile }
  Skipped: { readonly relativePath: string; readonly why: SkipReason }
  /** A directory that could not be listed. */
  Unreadable: { readonly relativePath: string; readonly error: SourceUnreadable }
}>
export const Found = Data.taggedEnum<Found>()

/** Relative to the input directory. */
export const pathOf = (found: Found): string => (found._tag === "File" ? found.file.relativePath : found.relativePath)

/**
 * Oldest first: the collector's names carry their time (`snapshot_2026112215.jsonl`; older ones
 * `snapshot_1700000000.jsonl`), so their order by code unit is the order in which they will be rotated away.
 */
export const oldestFirst = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
