/** Writes files that are complete or absent, for every reader and after a crash at any moment. */
import * as FileSystem from "@effect/platform/FileSystem"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"

/** Replaces the file at `path`, which must not be a symbolic link. The file gets `mode`, whatever the umask is. */
export const write = (path: string, text: string, mode: number) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => {
    // in the same directory, because a rename works only within one file system; node_exporter ignores .tmp
    const temporary = `${path}.${randomUUID()}.tmp`
    // O_EXCL: fails if anything has this name, even a symbolic link
    const create = Effect.andThen(fs.open(temporary, { flag: "wx" }), (file) =>
      Effect.zipRight(file.writeAll(Buffer.from(text)), file.sync)
    )
    return Effect.scoped(create).pipe(
      Effect.zipRight(fs.chmod(temporary, mode)),
      Effect.zipRight(fs.rename(temporary, path)),
      Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true })))
    )
  })
