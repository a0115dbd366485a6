/** The entries that a traversal finds below the input directory. */
import { Data } from "effect"
import type { ConfigError, SourceUnreadable } from "./Errors.ts"

/** A file that may be uploaded. */
export interface SourceFile {
  /** The path to open. */
  readonly path: string
  /** Relative to the input directory, `/`-separated. */
  readonly relativePath: string
  /**
   * Whether the file is on a file system whose server may stop responding. Every call must then be made in the thread
   * pool.
   */
  readonly isRemote?: true
}

/** The result of `stat`. If it has not changed, the content has not changed. */
export interface FileStat {
  /** Bytes. */
  readonly size: bigint
  /** The last change of the content, in nanoseconds since 1970. Programs can set it to any time. */
  readonly mtimeNs: bigint
  /** The last change of the content or the metadata, in nanoseconds since 1970. Only the system sets it. */
  readonly ctimeNs: bigint
  /** Device. */
  readonly dev: bigint
  /** Inode. */
  readonly ino: bigint
}

/** Why an entry is skipped. A skipped entry is not a failure. */
export type SkipReason =
  /** A symbolic link, without `--follow-symlinks`. */
  | "symlink"
  /** A symbolic link to nothing, or to a directory that contains it. */
  | "dead-link"
  /** A FIFO, socket or device, which is never opened. */
  | "special"

export type Found = Data.TaggedEnum<{
  File: { readonly file: SourceFile }
  Skipped: { readonly relativePath: string; readonly why: SkipReason }
  /** A directory that could not be listed. */
  Unreadable: { readonly relativePath: string; readonly error: SourceUnreadable | ConfigError }
}>
export const Found = Data.taggedEnum<Found>()

/** Relative to the input directory. */
export const pathOf = (found: Found): string => (found._tag === "File" ? found.file.relativePath : found.relativePath)

/**
 * The collector's file names contain their time (`snapshot_2026112215.jsonl`; in older versions
 * `snapshot_1700000000.jsonl`), so their order by code unit is the order in which they are rotated away.
 */
export const oldestFirst = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
