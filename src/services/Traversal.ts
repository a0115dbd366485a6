import { Chunk, Context, Effect, Layer, Stream } from "effect"
import { type Dir, type Dirent, promises as fs, type Stats } from "node:fs"
import { InputUnusable, SourceUnreadable } from "../domain/Errors.ts"
import { Found, oldestFirst, type SkipReason } from "../domain/SourceFile.ts"
import { codeOf, detailOf } from "./SystemError.ts"

/** What lies below a directory. */
export class Traversal extends Context.Tag("ibsr-export/Traversal")<
  Traversal,
  {
    /**
     * Everything below `input` that is not a directory, as a stream: memory does not grow with the number of files.
     * A directory's files come oldest first, then its subdirectories. A directory with more than 4,096 entries is
     * ordered in stretches of so many. Fails if `input` itself is missing, not a directory, or unreadable; a directory
     * below it that cannot be listed is an element.
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

/** Entries sorted at once: above the 3,600 files that a collector keeps, and half a MB of memory. */
const stretch = 4096

/** Elements of a chunk of the stream: what is done with one at a stretch must not keep requests waiting. */
const batch = 1024

/** Entries that one system call may bring. */
const bufferSize = 256

const unusable = (input: string, cause: unknown) => new InputUnusable({ input, detail: detailOf(cause), cause })

const checkInput = (input: string) =>
  Effect.tryPromise({
    try: async () => {
      // opening tells more than a stat: that it is a directory, and that it may be listed
      await (await fs.opendir(input)).close()
    },
    catch: (cause) => unusable(input, cause)
  })

interface Directory {
  /** Relative to the input, with a `/` at its end; empty for the input itself. */
  readonly relative: string
  /** `device:inode` of the directories above, this one included; only kept where links are followed. */
  readonly lineage: ReadonlyArray<string>
}

/** A name that is not UTF-8 decodes to this, and leads nowhere. */
const isUndecodable = (name: string) => name.includes("\uFFFD")

const undecodable = (path: string) =>
  new SourceUnreadable({ path, detail: "its name is not valid UTF-8", advice: "rename it, or --exclude it" })

const identity = (stat: Stats) => `${stat.dev}:${stat.ino}`

/** What an entry is that is not a file; a link that is followed is what it leads to. */
const kindOf = async (
  entry: Dirent,
  path: string,
  followSymlinks: boolean
): Promise<"file" | "directory" | "gone" | "undecodable" | SkipReason> => {
  if (entry.isDirectory()) return "directory"
  if (entry.isFIFO() || entry.isSocket() || entry.isBlockDevice() || entry.isCharacterDevice()) return "special"
  if (entry.isSymbolicLink() && !followSymlinks) return "symlink"
  // it cannot be looked up by what its name decodes to
  if (entry.isSymbolicLink() && isUndecodable(entry.name)) return "undecodable"
  // a link to be followed, or a file system that does not say what its entries are
  const stat = await (entry.isSymbolicLink() ? fs.stat(path) : fs.lstat(path)).catch(codeOf)
  if (typeof stat !== "object") return entry.isSymbolicLink() ? "dead-link" : "gone"
  if (stat.isFile()) return "file"
  if (stat.isDirectory()) return "directory"
  return stat.isSymbolicLink() ? "symlink" : "special"
}

/** Where a directory is read, and every batch of up to `stretch` entries is put in order. */
async function* walk(input: string, followSymlinks: boolean): AsyncGenerator<ReadonlyArray<Found>> {
  const root = input.endsWith("/") ? input : `${input}/`
  const pending: Array<Directory> = [{ relative: "", lineage: [] }]
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
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
      for await (const entries of stretches(root + relative)) {
        for (let next = 0; next < entries.length; next += batch) {
          const found: Array<Found> = []
          for (const entry of entries.slice(next, next + batch)) {
            const relativePath = relative + entry.name
            const path = root + relativePath
            const kind = entry.isFile() ? "file" : await kindOf(entry, path, followSymlinks)
            if (kind === "directory") subdirectories.push(`${relativePath}/`)
            // plain, because there may be a million, and nobody compares them
            else if (kind === "file") found.push({ _tag: "File", file: { path, relativePath } })
            else if (kind === "undecodable") found.push(Found.Unreadable({ relativePath, error: undecodable(path) }))
            else if (kind !== "gone") found.push(Found.Skipped({ relativePath, why: kind }))
          }
          yield found
        }
      }
      // the last one pushed is the next one popped
      for (const sub of subdirectories.sort(oldestFirst).reverse()) pending.push({ relative: sub, lineage })
    } catch (cause) {
      // the input was checked; a directory that is gone by now was rotated away like a file
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
 * Opening goes through the thread pool, so that a file server that hangs does not hang the program; what has just been
 * opened is read at once, which takes a third of the time.
 */
async function* stretches(path: string): AsyncGenerator<Array<Dirent>> {
  const directory = await fs.opendir(path, { bufferSize })
  try {
    for (let entries = readStretch(directory); entries.length > 0; entries = readStretch(directory)) yield entries
  } finally {
    directory.closeSync()
  }
}

/** By itself, because V8 compiles a loop in a generator anew each time it is resumed. */
const readStretch = (directory: Dir): Array<Dirent> => {
  const entries: Array<Dirent> = []
  while (entries.length < stretch) {
    const entry = directory.readSync()
    if (entry === null) break
    entries.push(entry)
  }
  return entries.sort((a, b) => oldestFirst(a.name, b.name))
}
