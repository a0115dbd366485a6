/** Writes the files that `units` makes. Writes none of them if one would replace a file that must be kept. */
import { FileSystem } from "@effect/platform"
import { Effect } from "effect"
import { dirname, join } from "node:path"
import { UsageError } from "../domain/Errors.ts"
import type { File } from "../units/Job.ts"
import * as Marker from "../units/Marker.ts"
import * as AtomicFile from "./AtomicFile.ts"
import { printToStdout, Stdio } from "./Stdio.ts"
import { detailOf } from "./SystemError.ts"

/** Prints the path of each file that was written to `directory`. */
export const write = (files: ReadonlyArray<File>, directory: string) =>
  Effect.gen(function* () {
    const [problems, decisions] = yield* Effect.partition(files, (file) => decide(file, join(directory, file.name)))
    if (problems.length > 0) return yield* new UsageError({ problems })
    yield* Effect.forEach(decisions, carryOut, { discard: true })
  })

interface Decision {
  readonly action: "write" | "keep"
  readonly file: File
  readonly path: string
}

const decide = (file: File, path: string): Effect.Effect<Decision, string, FileSystem.FileSystem> =>
  Effect.flatMap(existing(path), (text) =>
    Effect.mapBoth(Marker.decide(text, file), {
      onFailure: (why) => `--to: ${path} ${why}; give this job another --name, or move the file away`,
      onSuccess: (action) => ({ action, file, path })
    })
  )

/** The text of the file at `path`: empty if it is not a regular file, undefined if it does not exist. */
const existing = (path: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.if(Effect.isSuccess(fs.readLink(path)), {
      onTrue: () => Effect.succeed(""),
      onFalse: () =>
        Effect.flatMap(fs.stat(path), ({ type }) =>
          type === "File" ? fs.readFileString(path) : Effect.succeed("")
        ).pipe(
          Effect.catchIf(
            (error) => error._tag === "SystemError" && error.reason === "NotFound",
            () => Effect.succeed(undefined)
          ),
          Effect.mapError(problem)
        )
    })
  )

const problem = (cause: unknown) => `--to: ${detailOf(cause)}`

const carryOut = ({ action, file, path }: Decision) =>
  Effect.gen(function* () {
    if (action === "keep") {
      const { stderr } = yield* Stdio
      return stderr.writeLine({ text: `ibsr-export: kept ${path}, which \`units\` did not write`, severity: "notice" })
    }
    const fs = yield* FileSystem.FileSystem
    // the directory of drop-ins; if it cannot be created, writing the file reports why
    if (file.name.includes("/")) yield* Effect.ignore(fs.makeDirectory(dirname(path)))
    yield* Effect.mapError(
      AtomicFile.write(path, file.text, 0o644),
      (cause) => new UsageError({ problems: [problem(cause)] })
    )
    yield* printToStdout(path)
  })
