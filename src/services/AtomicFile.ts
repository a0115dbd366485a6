/** Writes files that are complete or absent, for every reader and after a crash at any moment. */
import * as FileSystem from "@effect/platform/FileSystem"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { fchmodSync } from "node:fs"
import { dirname } from "node:path"
import { attempt } from "./SystemError.ts"
import * as Trust from "./Trust.ts"

/** Replaces the file at `path`, which must not be a symbolic link. The file gets `mode`, whatever the umask is. */
export const write = (path: string, text: string, mode: number) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => {
    // in the same directory, because a rename works only within one file system; node_exporter ignores .tmp
    const temporary = `${path}.${randomUUID()}.tmp`
    // O_EXCL: fails if anything has this name, even a symbolic link
    const create = Effect.andThen(fs.open(temporary, { flag: "wx" }), (file) =>
      Effect.all([
        file.writeAll(Buffer.from(text)),
        // not by its name, which may be another file's by now if others may write to the directory
        attempt(() => fchmodSync(file.fd, mode)),
        file.sync
      ])
    )
    return attempt(() => Trust.refuseForeignLink(dirname(path))).pipe(
      Effect.zipRight(Effect.scoped(create)),
      Effect.zipRight(fs.rename(temporary, path)),
      Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true })))
    )
  })
