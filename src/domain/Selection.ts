/** Which files are uploaded. */
import { Either } from "effect"
import picomatch from "picomatch"
import { failed, Outcome } from "./Outcome.ts"
import { type Found, pathOf, type SourceFile } from "./SourceFile.ts"

export interface Patterns {
  /** Globs on the path relative to the input directory; a file must match one of them. */
  readonly include: ReadonlyArray<string>
  /** Globs that leave out what `include` takes. */
  readonly exclude: ReadonlyArray<string>
}

export interface Selection {
  /** Of a file: it is included, and not excluded. */
  readonly keeps: (relativePath: string) => boolean
  /** Of a file: it is excluded, whatever includes it. */
  readonly excludes: (relativePath: string) => boolean
}

/** Names that begin with a dot or hold a line break are files too: leaving one out silently could lose data. */
const options = { dot: true, flags: "s" }

/** A name that no pattern spells out. */
const anyName = "\u0001"

/** Whether a path matches one of the globs; what holds a glob's special characters itself matches it, too. */
export const matcher = (globs: ReadonlyArray<string>): ((relativePath: string) => boolean) => {
  // picomatch's own matcher also tells what matched, which nobody asks for, and takes twice as long
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
 * | file                  | goes on             | `Excluded` |
 * | link, FIFO, device    | `Skipped`           | `Excluded` |
 * | unreadable directory  | `Failed`: it may hold files that are kept | `Excluded`, where all below it is |
 */
export const admit = (selection: Selection, found: Found): Either.Either<SourceFile, Outcome> => {
  if (found._tag === "Unreadable") {
    return Either.left(
      selection.excludes(found.relativePath + anyName) ? Outcome.Excluded() : failed(found, found.error)
    )
  }
  if (!selection.keeps(pathOf(found))) return Either.left(Outcome.Excluded())
  return found._tag === "File" ? Either.right(found.file) : Either.left(Outcome.Skipped({ why: found.why }))
}
