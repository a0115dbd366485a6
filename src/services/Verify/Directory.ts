/** A local directory, such as a synced run directory. */
import { Effect, Layer } from "effect"
import { promises as fs } from "node:fs"
import { join } from "node:path"
import { InputUnusable } from "../../domain/Errors.ts"
import { ObjectSource, type FoundObject } from "../ObjectSource.ts"
import { unreadable } from "../Source/OpenFile.ts"
import { codeOf, detailOf } from "../SystemError.ts"

/** In bytes. Each piece costs a round trip through the thread pool. */
const pieceBytes = 256 * 1024

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
      const file = await fs.open(path).catch((cause) => {
        throw unreadable(path)(cause)
      })
      try {
        // one buffer for all pieces: with a new one for each, memory grows to 200 MB before the garbage collector runs
        const buffer = Buffer.allocUnsafe(pieceBytes)
        for (;;) {
          const { bytesRead } = await file.read(buffer, 0, buffer.length)
          if (bytesRead === 0) return
          yield buffer.subarray(0, bytesRead)
        }
      } catch (cause) {
        throw unreadable(path)(cause)
      } finally {
        await file.close()
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
