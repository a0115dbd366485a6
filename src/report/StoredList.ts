/** The list of files and run directories that may be deleted: one value, printed in several formats. */
import { Schema } from "effect"
import * as Size from "../domain/Size.ts"
import { Count, described } from "./Report.ts"
import { escapeControls, plural } from "./Text.ts"

export const StoredList = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  ledger: described(Schema.String, "path of the ledger"),
  files: described(
    Schema.Array(Schema.Struct({ path: Schema.String, bytes: Count })),
    "files that are stored as final and have not changed since; absolute paths"
  ),
  directories: described(
    Schema.Array(Schema.Struct({ path: Schema.String, files: Count, bytes: Count })),
    "run directories that hold only such files, and in which no collector is at work"
  ),
  kept: described(
    Schema.Struct({ live: Count, waiting: Count, changed: Count, unknown: Count }),
    "how many files are not listed: they may still grow, are not completely stored, have changed, or are not in the ledger"
  )
})
export type StoredList = typeof StoredList.Type

type Paths = ReadonlyArray<{ readonly path: string }>

/** One path per line, with control characters escaped. */
export const lines = (paths: Paths): string => paths.map(({ path }) => escapeControls(path)).join("\n")

/** Unescaped paths, each terminated by a NUL, for `xargs -0`. */
export const nulEnded = (paths: Paths): string => paths.map(({ path }) => `${path}\0`).join("")

/** Counts what is listed and what is not, in one line. */
export const summary = ({ directories, files, kept }: StoredList): string => {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return (
    `stored as final and unchanged: ${plural(files.length, "file")} (${Size.format(bytes)}), ` +
    `${directories.length} whole run director${directories.length === 1 ? "y" : "ies"}; ` +
    `not listed: ${kept.live} live, ${kept.waiting} waiting, ${kept.changed} changed, ${kept.unknown} unknown`
  )
}
