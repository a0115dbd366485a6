/** A local directory, such as a synced run directory. */
import { Effect, Layer } from "effect"
import { createReadStream, promises as fs } from "node:fs"
import { join } from "node:path"
import { InputUnusable } from "../../domain/Errors.ts"
import { ObjectSource, type FoundObject } from "../ObjectSource.ts"
import { unreadable } from "../Source/OpenFile.ts"
import { codeOf, detailOf } from "../SystemError.ts"

/** In bytes. Large pieces save round trips through the thread pool: the rest of the work is only hashing. */
const pieceBytes = 1024 ** 2

export const layer = (root: string) =>
  Layer.succeed(ObjectSource, {
    list: Effect.tryPromise({
      try: () => walk(root, ""),
      catch: (cause) =>
        new InputUnusable({
          input: root,
          detail: codeOf(cause) === "ENOTDIR" ? "it is not a directory" : detailOf(cause),
          code: codeOf(cause),
          advice: "give the directory that the objects were copied to, or s3://BUCKET/PREFIX"
        })
    }),
    read: async function* (name) {
      const path = join(root, name)
      try {
        yield* createReadStream(path, { highWaterMark: pieceBytes }) as AsyncIterable<Uint8Array>
      } catch (cause) {
        throw unreadable(path)(cause)
      }
    },
    concurrency: 4
  })

/** Finds all files. Does not follow symbolic links, because tools that copy objects create none. */
const walk = async (root: string, below: string): Promise<ReadonlyArray<FoundObject>> => {
  const found: Array<FoundObject> = []
  for (const entry of await fs.readdir(join(root, below), { withFileTypes: true })) {
    const name = below + entry.name
    if (entry.isDirectory()) found.push(...(await walk(root, `${name}/`)))
    else if (entry.isFile()) found.push({ name, sizeBytes: (await fs.stat(join(root, name))).size })
  }
  return found
}
