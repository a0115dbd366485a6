import { Chunk, Context, Effect, Layer, Stream } from "effect"
import { type Dir, type Dirent, promises as fs, type Stats } from "node:fs"
import { InputUnusable, SourceUnreadable } from "../domain/Errors.ts"
import * as RunDirectory from "../domain/RunDirectory.ts"
import { Found, oldestFirst, type SkipReason } from "../domain/SourceFile.ts"
import { codeOf, detailOf } from "./SystemError.ts"

/** Walks the input directory. */
export class Traversal extends Context.Tag("ibsr-export/Traversal")<
  Traversal,
  {
    /**
     * Everything below `input` that is not a directory. A stream, so that memory does not grow with the number of
     * files. A directory's files come oldest first, then its subdirectories in `RunDirectory.visitOrder`. A directory
     * with more than 4,096 entries is sorted in blocks of that size. Fails if `input` is missing, not a directory, or
     * unreadable. Yields an element for a directory below it that cannot be listed.
     */
    readonly files: (input: string) => Stream.Stream<Found, InputUnusable>
  }
>() {
  static readonly layer = (options: { readonly followSymlinks: boolean }) =>
    Layer.succeed(Traversal, {
      files: (input) =>
        Stream.unwrap(
          Effect.as(
            checkInput(input),
            Stream.fromAsyncIterable(walk(input, options.followSymlinks), (cause) => unusable(input, cause)).pipe(
              Stream.map(Chunk.unsafeFromArray),
              Stream.flattenChunks
            )
          )
        )
    })
}

/** Entries sorted together: more than the 3,600 files that a collector keeps, and half a MB of memory. */
const blockSize = 4096

/** Elements per chunk of the stream. `ChangeDetection` works on a chunk synchronously, while requests wait. */
const chunkSize = 1024

/** Entries per system call. */
const bufferSize = 256

const unusable = (input: string, cause: unknown) =>
  new InputUnusable({ input, detail: detailOf(cause), code: codeOf(cause), cause })

const checkInput = (input: string) =>
  Effect.tryPromise({
    try: async () => {
      // unlike a stat, this also checks that it is a directory and may be listed
      await (await fs.opendir(input)).close()
    },
    catch: (cause) => unusable(input, cause)
  })

interface Directory {
  /** Path relative to the input, ending in `/`; empty for the input. */
  readonly relative: string
  /** `device:inode` of the directories above it; empty unless links are followed. */
  readonly lineage: ReadonlyArray<string>
}

/** A name that is not UTF-8 decodes to a name with this character, and no file can be opened under that name. */
const isUndecodable = (name: string) => name.includes("\uFFFD")

const undecodable = (path: string) =>
  new SourceUnreadable({ path, detail: "its name is not valid UTF-8", advice: "rename it, or --exclude it" })

const identity = (stat: Stats) => `${stat.dev}:${stat.ino}`

/** The kind of an entry, or of the target of a link that is followed. */
const kindOf = async (
  entry: Dirent,
  path: string,
  followSymlinks: boolean
): Promise<"file" | "directory" | "gone" | "undecodable" | SkipReason> => {
  if (entry.isDirectory()) return "directory"
  if (entry.isFIFO() || entry.isSocket() || entry.isBlockDevice() || entry.isCharacterDevice()) return "special"
  if (entry.isSymbolicLink() && !followSymlinks) return "symlink"
  if (entry.isSymbolicLink() && isUndecodable(entry.name)) return "undecodable"
  // a link to follow, or a file system that does not report the kinds of its entries
  const stat = await (entry.isSymbolicLink() ? fs.stat(path) : fs.lstat(path)).catch(codeOf)
  if (typeof stat !== "object") return entry.isSymbolicLink() ? "dead-link" : "gone"
  if (stat.isFile()) return "file"
  if (stat.isDirectory()) return "directory"
  return stat.isSymbolicLink() ? "symlink" : "special"
}

/** Depth first; yields the files of a directory in chunks. */
async function* walk(input: string, followSymlinks: boolean): AsyncGenerator<ReadonlyArray<Found>> {
  const root = input.endsWith("/") ? input : `${input}/`
  let pending: Array<Directory> = [{ relative: "", lineage: [] }]
  let last: Array<Directory> = []
  const nextDirectory = () => {
    if (pending.length === 0) {
      pending = last.sort((a, b) => RunDirectory.newestFirst(b.relative, a.relative))
      last = []
    }
    return pending.pop()
  }
  for (let directory = nextDirectory(); directory !== undefined; directory = nextDirectory()) {
    const { relative } = directory
    let lineage = directory.lineage
    try {
      if (followSymlinks) {
        const self = identity(await fs.stat(root + relative))
        if (lineage.includes(self)) {
          yield [Found.Skipped({ relativePath: relative.slice(0, -1), why: "dead-link" })]
          continue
        }
        lineage = [...lineage, self]
      }
      const subdirectories: Array<string> = []
      for await (const entries of blocks(root + relative)) {
        for (let next = 0; next < entries.length; next += chunkSize) {
          const found: Array<Found> = []
          for (const entry of entries.slice(next, next + chunkSize)) {
            const relativePath = relative + entry.name
            const path = root + relativePath
            const kind = entry.isFile() ? "file" : await kindOf(entry, path, followSymlinks)
            if (kind === "directory") subdirectories.push(entry.name)
            // a plain object is cheaper than `Found.File`, and there may be a million
            else if (kind === "file") found.push({ _tag: "File", file: { path, relativePath } })
            else if (kind === "undecodable") found.push(Found.Unreadable({ relativePath, error: undecodable(path) }))
            else if (kind !== "gone") found.push(Found.Skipped({ relativePath, why: kind }))
          }
          yield found
        }
      }
      const below = (name: string): Directory => ({ relative: `${relative}${name}/`, lineage })
      const order = RunDirectory.visitOrder(subdirectories)
      // the directory pushed last is popped first
      pending.push(...order.first.toReversed().map(below))
      last.push(...order.last.map(below))
    } catch (cause) {
      // a subdirectory that has vanished was rotated away, like a file
      if (relative === "") throw cause
      const path = root + relative
      const error = isUndecodable(relative)
        ? undecodable(path)
        : new SourceUnreadable({ path, detail: detailOf(cause), code: codeOf(cause), cause })
      if (error.code !== "ENOENT") yield [Found.Unreadable({ relativePath: relative, error })]
    }
  }
}

/**
 * Opens a directory through the thread pool, so that a file server that hangs does not hang the program. Reads it
 * synchronously, which takes a third of the time.
 */
async function* blocks(path: string): AsyncGenerator<Array<Dirent>> {
  const directory = await fs.opendir(path, { bufferSize })
  try {
    for (let entries = readBlock(directory); entries.length > 0; entries = readBlock(directory)) yield entries
  } finally {
    directory.closeSync()
  }
}

/** A function of its own, because V8 compiles a loop inside a generator again each time the generator resumes. */
const readBlock = (directory: Dir): Array<Dirent> => {
  const entries: Array<Dirent> = []
  while (entries.length < blockSize) {
    const entry = directory.readSync()
    if (entry === null) break
    entries.push(entry)
  }
  return entries.sort((a, b) => oldestFirst(a.name, b.name))
}
