import { Chunk, Context, Effect, Layer, Stream } from "effect"
import { constants, promises as fs, type Stats } from "node:fs"
import { InputUnusable, SourceUnreadable } from "../domain/Errors.ts"
import * as RunDirectory from "../domain/RunDirectory.ts"
import { Found, type SourceFile } from "../domain/SourceFile.ts"
import * as Descriptors from "./Descriptors.ts"
import * as Containment from "./Source/Containment.ts"
import * as FileSystemKind from "./Source/FileSystemKind.ts"
import { codeOf, detailOf } from "./SystemError.ts"
import * as DirectoryCalls from "./Traversal/DirectoryCalls.ts"
import * as EntryKind from "./Traversal/EntryKind.ts"
import * as Listing from "./Traversal/Listing.ts"

/** Walks the input directory. */
export class Traversal extends Context.Tag("ibsr-export/Traversal")<
  Traversal,
  {
    /**
     * Streams everything below `input` that is not a directory, so that memory does not grow with the number of files.
     * A directory's files come oldest first, then its subdirectories in `RunDirectory.visitOrder`. A directory with
     * more than 4,096 entries is sorted in blocks of that size. Fails if `input` is missing, not a directory, or
     * unreadable. A subdirectory that cannot be listed becomes an element of the stream.
     */
    readonly files: (input: string) => Stream.Stream<Found, InputUnusable>
  }
>() {
  static readonly layer = ({ followSymlinks }: { readonly followSymlinks: boolean }) =>
    Layer.succeed(Traversal, {
      files: (input) =>
        Stream.unwrap(
          Effect.as(
            checkInput(input),
            Stream.fromAsyncIterable(walk(input, followSymlinks), (cause) => unusable(input, cause)).pipe(
              Stream.map(Chunk.unsafeFromArray),
              Stream.flattenChunks
            )
          )
        )
    })
}

/** Elements per chunk of the stream. Requests wait while `ChangeDetection` works on a chunk. */
const chunkSize = 1024

/** Number of directories that are read without a pause. Requests wait meanwhile. */
const directoriesAtOnce = 64

const unusable = (input: string, cause: unknown) =>
  new InputUnusable({ input, detail: detailOf(cause), code: codeOf(cause), cause })

const checkInput = (input: string) =>
  Effect.tryPromise({
    try: async () => {
      // unlike a stat, opening also checks that the input is a directory and may be listed
      await (await Descriptors.patiently(() => fs.opendir(input))).close()
    },
    catch: (cause) => unusable(input, cause)
  })

interface Directory {
  /** Path relative to the input, ending in `/`; empty for the input. */
  readonly relative: string
  /** `device:inode` of the directories above it; empty unless links are followed. */
  readonly lineage: ReadonlyArray<string>
}

const undecodable = (path: string) =>
  new SourceUnreadable({ path, detail: "its name is not valid UTF-8", advice: "rename it, or --exclude it" })

const unlisted = (path: string, cause: unknown) => {
  if (cause instanceof SourceUnreadable) return cause
  if (Descriptors.isExhausted(cause)) return Descriptors.noneFree(cause)
  return new SourceUnreadable({ path, detail: detailOf(cause), code: codeOf(cause), cause })
}

const identity = (stat: Stats) => `${stat.dev}:${stat.ino}`

/** Depth first. A chunk of a local file system may hold files of several directories. */
async function* walk(input: string, followSymlinks: boolean): AsyncGenerator<ReadonlyArray<Found>> {
  const root = input.endsWith("/") ? input : `${input}/`
  let pending: Array<Directory> = [{ relative: "", lineage: [] }]
  let last: Array<Directory> = []
  const contain = Containment.make({ input, followSymlinks })
  const isRemote = FileSystemKind.make()
  const isLocal = !followSymlinks && (await FileSystemKind.isLocalThroughout(input))
  const calls = isLocal ? DirectoryCalls.synchronous : DirectoryCalls.asynchronous
  const nextDirectory = () => {
    if (pending.length === 0) {
      pending = last.sort((a, b) => RunDirectory.newestFirst(b.relative, a.relative))
      last = []
    }
    return pending.pop()
  }
  let found: Array<Found> = []
  const takeFound = () => {
    const taken = found
    found = []
    return taken
  }
  let visited = 0
  for (let directory = nextDirectory(); directory !== undefined; directory = nextDirectory()) {
    const { relative } = directory
    let lineage = directory.lineage
    // removes the final slash, with which the system would follow a link
    const directoryPath = relative === "" ? root : root + relative.slice(0, -1)
    let opened: number | undefined
    try {
      // if the disk hung during a synchronous call, the program could not react to a signal or the deadline
      if (isLocal && visited++ % directoriesAtOnce === 0) await fs.lstat(directoryPath)
      const flags = directoryFlags(relative, followSymlinks)
      const fd = await Descriptors.patiently(async () => calls.open(directoryPath, flags))
      opened = fd
      contain(fd, { path: directoryPath, relativePath: relative })
      const stat = isLocal ? undefined : await calls.stat(fd)
      if (followSymlinks && stat !== undefined) {
        const self = identity(stat)
        if (lineage.includes(self)) {
          found.push(Found.Skipped({ relativePath: relative.slice(0, -1), why: "dead-link" }))
          continue
        }
        lineage = [...lineage, self]
      }
      const remote = stat !== undefined && (await isRemote(stat.dev, directoryPath))
      const subdirectories: Array<string> = []
      for await (const entries of Listing.blocks(fd, directoryPath, remote)) {
        for (const entry of entries) {
          const relativePath = relative + entry.name
          const path = root + relativePath
          const kind = entry.isFile() ? "file" : await EntryKind.kindOf(entry, path, followSymlinks)
          if (kind === "directory") subdirectories.push(entry.name)
          // a plain object is cheaper than `Found.File`, and there may be a million of them
          else if (kind === "file") {
            // a link that is followed may lead to any file system
            const file: SourceFile =
              remote || entry.isSymbolicLink() ? { path, relativePath, isRemote: true } : { path, relativePath }
            found.push({ _tag: "File", file })
          } else if (kind === "undecodable") found.push(Found.Unreadable({ relativePath, error: undecodable(path) }))
          else if (kind !== "gone") found.push(Found.Skipped({ relativePath, why: kind }))
          if (found.length === chunkSize) yield takeFound()
        }
      }
      const below = (name: string): Directory => ({ relative: `${relative}${name}/`, lineage })
      const order = RunDirectory.visitOrder(subdirectories)
      // reversed, because the directory that is pushed last is popped first
      pending.push(...order.first.toReversed().map(below))
      last.push(...order.last.map(below))
    } catch (cause) {
      if (relative === "") throw cause
      const path = root + relative
      const code = codeOf(cause)
      if (EntryKind.isUndecodable(relative))
        found.push(Found.Unreadable({ relativePath: relative, error: undecodable(path) }))
      // the directory was replaced by a link after its name was read, or has vanished because it was rotated away
      else if (code === "ENOTDIR" || code === "ELOOP")
        found.push(Found.Skipped({ relativePath: relative, why: "symlink" }))
      else if (code !== "ENOENT") found.push(Found.Unreadable({ relativePath: relative, error: unlisted(path, cause) }))
    } finally {
      if (opened !== undefined) await calls.close(opened)
    }
    // files that are already found must not wait for a file server that hangs
    if (!isLocal || visited % directoriesAtOnce === 0) yield takeFound()
  }
  yield takeFound()
}

/** The input itself may be a link. */
const directoryFlags = (relative: string, followSymlinks: boolean) =>
  constants.O_RDONLY | constants.O_DIRECTORY | (relative === "" || followSymlinks ? 0 : constants.O_NOFOLLOW)
