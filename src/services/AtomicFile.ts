/** Writes files atomically: a reader sees the whole file or none, even after a crash. */
import * as FileSystem from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import { Effect, Option } from "effect"
import { randomUUID } from "node:crypto"
import { fchmodSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { attempt } from "./SystemError.ts"
import * as Trust from "./Trust.ts"

/** Replaces the file at `path`, which must not be a symbolic link. The file gets `mode`, whatever the umask is. */
export const write = (path: string, text: string, mode: number) => writeParts(path, mode, (append) => append(text))

/** Like `write`, for a text that does not fit into memory: `parts` appends it piece by piece. */
export const writeParts = <E, R>(
  path: string,
  mode: number,
  parts: (append: (text: string) => Effect.Effect<void, PlatformError>) => Effect.Effect<void, E, R>
) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => {
    // in the same directory, because a rename works only within one file system; node_exporter ignores files named .tmp
    const temporary = `${path}.${randomUUID()}.tmp`
    // O_EXCL fails if anything has this name, even a symbolic link
    const create = Effect.andThen(fs.open(temporary, { flag: "wx" }), (file) =>
      Effect.all([
        parts((text) => file.writeAll(Buffer.from(text))),
        // uses the descriptor, because the name may belong to another user's file by now
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

/**
 * Returns the file to replace for a path that a user gave. If the path is a symbolic link, that is the link's target; a
 * dangling link is itself replaced. Fails if another user planted the link, or if the file is not a regular file.
 */
export const targetOf = (path: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const named = join(yield* fs.realPath(dirname(path)), basename(path))
    yield* attempt(() => Trust.refuseForeignLink(named))
    const target = yield* Effect.orElseSucceed(fs.realPath(named), () => named)
    const info = yield* Effect.option(fs.stat(target))
    // checked because a rename would replace even a device
    if (Option.exists(info, ({ type }) => type !== "File")) return yield* Effect.fail("it is not a regular file")
    return target
  })
