/** Which files are uploaded. */
import { Either } from "effect"
import picomatch from "picomatch"
import { fromError, Outcome } from "./Outcome.ts"
import { type Found, pathOf, type SourceFile } from "./SourceFile.ts"

export interface Patterns {
  /** Globs for the path relative to the input directory. A file must match one of them. */
  readonly include: ReadonlyArray<string>
  /** Globs for files to leave out although `include` matches them. */
  readonly exclude: ReadonlyArray<string>
}

export interface Selection {
  /** Whether a file is included and not excluded. */
  readonly keeps: (relativePath: string) => boolean
  /** Whether a file is excluded, even if it is included. */
  readonly excludes: (relativePath: string) => boolean
}

/** Names may begin with a dot or contain a line break. Skipping such a file silently could lose data. */
const options = { dot: true, flags: "s" }

/** A file name that no pattern contains. */
const anyName = "\u0001"

/** Whether a path matches one of the globs. A path that is literally equal to a glob matches it, too. */
export const matcher = (globs: ReadonlyArray<string>): ((relativePath: string) => boolean) => {
  // picomatch's own matcher takes twice as long, because it also returns what matched
  const tests = globs.map((glob) => ({ glob, regex: picomatch.makeRe(glob, options) }))
  return (relativePath) => tests.some(({ glob, regex }) => relativePath === glob || regex.test(relativePath))
}

export const make = (patterns: Patterns): Selection => {
  const includes = matcher(patterns.include)
  const excludes = matcher(patterns.exclude)
  return { excludes, keeps: (relativePath) => includes(relativePath) && !excludes(relativePath) }
}

/**
 * | found                 | kept                | not kept   |
 * | --------------------- | ------------------- | ---------- |
 * | file                  | the file            | `Excluded` |
 * | link, FIFO, device    | `Skipped`           | `Excluded` |
 * | unreadable directory  | `Failed`: it may contain selected files | `Excluded`, if everything in it is |
 */
export const admit = (selection: Selection, found: Found): Either.Either<SourceFile, Outcome> => {
  if (found._tag === "Unreadable") {
    return Either.left(
      selection.excludes(found.relativePath + anyName) ? Outcome.Excluded() : fromError(found, found.error)
    )
  }
  if (!selection.keeps(pathOf(found))) return Either.left(Outcome.Excluded())
  return found._tag === "File" ? Either.right(found.file) : Either.left(Outcome.Skipped({ why: found.why }))
}
