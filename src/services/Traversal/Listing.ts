/** Lists a directory in sorted blocks, so that memory does not grow with its size. */
import { type Dir, type Dirent, existsSync, opendirSync, promises as fs } from "node:fs"
import { oldestFirst } from "../../domain/SourceFile.ts"
import * as Descriptors from "../Descriptors.ts"
import * as Containment from "../Source/Containment.ts"
import { codeOf } from "../SystemError.ts"

/**
 * The number of entries that are sorted together. It exceeds the 3,600 files that a collector keeps, and takes half a
 * MB of memory.
 */
const blockSize = 4096

/** Entries per system call. */
const bufferSize = 256

/** Whether /proc is mounted. */
let hasDescriptors: boolean | undefined

/** Lists the open directory, even if another one now has its path. */
export async function* blocks(fd: number, path: string, remote: boolean): AsyncGenerator<Array<Dirent>> {
  const again = Containment.pathOfDescriptor(fd)
  hasDescriptors ??= existsSync(again)
  // without /proc, only the path can be used
  const listed = hasDescriptors ? again : path
  yield* remote ? remoteBlocks(listed) : localBlocks(listed)
}

/** Reads synchronously, which takes a third of the time that reading in the thread pool takes. */
async function* localBlocks(path: string): AsyncGenerator<Array<Dirent>> {
  const directory = await Descriptors.patiently(async () => opendirSync(path, { bufferSize }))
  try {
    for (let entries = readBlock(directory); entries.length > 0; entries = readBlock(directory)) yield entries
  } finally {
    directory.closeSync()
  }
}

/**
 * Reads in the thread pool, so that a file server that hangs does not hang the program. `Dir.read` would read some
 * stats on the main thread.
 */
async function* remoteBlocks(path: string): AsyncGenerator<Array<Dirent>> {
  const list = () => Descriptors.patiently(() => fs.readdir(path, { withFileTypes: true }))
  // the first call fails if an entry vanishes before Node has read its kind
  const entries = await list().catch((cause) => (codeOf(cause) === "ENOENT" ? list() : Promise.reject(cause)))
  entries.sort((a, b) => oldestFirst(a.name, b.name))
  for (let next = 0; next < entries.length; next += blockSize) yield entries.slice(next, next + blockSize)
}

/** A separate function, because V8 compiles a loop inside a generator again each time the generator resumes. */
const readBlock = (directory: Dir): Array<Dirent> => {
  const entries: Array<Dirent> = []
  while (entries.length < blockSize) {
    const entry = directory.readSync()
    if (entry === null) break
    entries.push(entry)
  }
  return entries.sort((a, b) => oldestFirst(a.name, b.name))
}
