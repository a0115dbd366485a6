/** Files that are there as a whole or not at all, whoever reads them, and whenever this program is killed. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Effect } from "effect"

/** Writes to the same file system, under a name of its own, then renames. Folders that are missing are made. */
export const write = (path: string, text: string, mode: number) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const { basename, dirname } = yield* Path.Path
    yield* fileSystem.makeDirectory(dirname(path), { recursive: true })
    const temporary = yield* fileSystem.makeTempFileScoped({ directory: dirname(path), prefix: `.${basename(path)}.` })
    yield* fileSystem.writeFileString(temporary, text)
    yield* fileSystem.chmod(temporary, mode)
    yield* fileSystem.rename(temporary, path)
  }).pipe(Effect.scoped)
