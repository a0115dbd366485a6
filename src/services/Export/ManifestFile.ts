/** The local file with the manifests of all directories, one per line. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Cause, Effect, Option } from "effect"
import { resolve } from "node:path"
import type { StateUnusable } from "../../domain/Errors.ts"
import type { ManifestResult } from "../../report/Report.ts"
import * as AtomicFile from "../AtomicFile.ts"
import { detailOf } from "../SystemError.ts"

/** Fails only if the ledger cannot be read. */
export const write = (
  file: string,
  directories: ReadonlyArray<string>,
  manifestOf: (directory: string) => Effect.Effect<string, StateUnusable>
): Effect.Effect<NonNullable<ManifestResult["file"]>, StateUnusable> => {
  const path = resolve(file)
  return AtomicFile.targetOf(path).pipe(
    Effect.flatMap((target) =>
      AtomicFile.writeParts(target, 0o644, (append) =>
        Effect.forEach(directories.toSorted(), (directory) => Effect.flatMap(manifestOf(directory), append), {
          discard: true
        })
      )
    ),
    Effect.as({ path, error: null }),
    Effect.catchAllCause((cause) => {
      const error = Option.getOrUndefined(Cause.failureOption(cause))
      return isStateUnusable(error)
        ? Effect.fail(error)
        : Effect.succeed({ path, error: detailOf(Cause.squash(cause)) })
    }),
    Effect.provide(NodeFileSystem.layer)
  )
}

const isStateUnusable = (error: unknown): error is StateUnusable =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "StateUnusable"
