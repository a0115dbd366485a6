/** Selects the files to upload. */
import { Either } from "effect"
import picomatch from "picomatch"
import { fromError, Outcome } from "./Outcome.ts"
import { type Found, pathOf, type SourceFile } from "./SourceFile.ts"

export interface Patterns {
  /** Globs. A selected file matches at least one of them. */
  readonly include: ReadonlyArray<string>
  /** Globs. A selected file matches none of them. */
  readonly exclude: ReadonlyArray<string>
}

export interface Selection {
  /** Whether a file is included and not excluded. */
  readonly keeps: (relativePath: string) => boolean
  /** Whether a file is excluded, even if it is included. */
  readonly excludes: (relativePath: string) => boolean
  /** The globs of `include` that have not matched a path yet. */
  readonly unmatched: () => ReadonlyArray<string>
}

/** Names may begin with a dot or contain a line break. Skipping such a file silently could lose data. */
const options = { dot: true, flags: "s" }

/** A file name that matches no pattern unless the pattern matches every name. */
const anyName = "\u0001"

/**
 * | glob                             | matches                                                |
 * | -------------------------------- | ------------------------------------------------------ |
 * | `*.jsonl`: no slash              | the file name, in any directory                        |
 * | `d/*.jsonl`: a slash inside      | the path below the input                               |
 * | `/*.jsonl`: a leading slash      | the path below the input                               |
 * | `d/`: a trailing slash           | everything below directories of that name, anywhere    |
 * | `/d/`, `d/e/`: both              | everything below that directory of the input           |
 *
 * Source: gitignore(5), section "PATTERN FORMAT". A path also matches a glob that equals it literally.
 */
const pathMatcher = (glob: string): ((relativePath: string) => boolean) => {
  const isDirectory = glob.endsWith("/")
  const name = glob.replace(/^\.?\//, "").replace(/\/$/, "")
  const isAnchored = name.includes("/") || /^\.?\//.test(glob)
  const [before, after] = [isAnchored ? "" : "**/", isDirectory ? "/**/*" : ""]
  // picomatch's own matcher takes twice as long, because it also returns the match
  const regex = picomatch.makeRe(`${before}${name}${after}`, options)
  const literal = isDirectory ? `/${name}/` : `/${name}`
  const isLiteral = (path: string) => {
    if (isAnchored) return isDirectory ? path.startsWith(literal) : path === literal
    return isDirectory ? path.includes(literal) : path.endsWith(literal)
  }
  return (relativePath) => regex.test(relativePath) || isLiteral(`/${relativePath}`)
}

/** Checks a glob. The failure describes the expected form. */
export const parseGlob = (glob: string): Either.Either<string, string> => {
  if (/^!(?!\()/.test(glob)) return Either.left("a glob that does not begin with '!'; use --exclude to leave files out")
  const segments = glob.split("/").filter((segment) => segment !== "" && segment !== ".")
  if (segments.length === 0) return Either.left("a glob that names a file or a directory, such as *.jsonl or dir/")
  if (segments.includes("..")) return Either.left("a glob below --input, without '..'")
  try {
    picomatch.makeRe(glob, { ...options, strictBrackets: true })
    return Either.right(glob)
  } catch {
    return Either.left("a glob with balanced brackets; a literal one is written \\[")
  }
}

/** Whether a path matches one of the globs. */
export const matcher = (globs: ReadonlyArray<string>): ((relativePath: string) => boolean) => {
  const matchers = globs.map(pathMatcher)
  return (relativePath) => matchers.some((matches) => matches(relativePath))
}

export const make = (patterns: Patterns): Selection => {
  const globs = patterns.include.map((glob) => ({ glob, matches: pathMatcher(glob), isMatched: false }))
  const includes = (relativePath: string) => {
    let isIncluded = false
    for (const each of globs) {
      // a glob that has already matched is tried only on paths that no earlier glob matches
      if ((isIncluded && each.isMatched) || !each.matches(relativePath)) continue
      each.isMatched = true
      isIncluded = true
    }
    return isIncluded
  }
  const excludes = matcher(patterns.exclude)
  return {
    excludes,
    keeps: (relativePath) => includes(relativePath) && !excludes(relativePath),
    unmatched: () => globs.filter(({ isMatched }) => !isMatched).map(({ glob }) => glob)
  }
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
