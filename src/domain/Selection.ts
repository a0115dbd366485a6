/** Which files are uploaded. */
import picomatch from "picomatch"

export interface Patterns {
  /** Globs on the path relative to the input directory; a file must match one of them. */
  readonly include: ReadonlyArray<string>
  /** Globs that leave out what `include` takes. */
  readonly exclude: ReadonlyArray<string>
}

export interface Selection {
  /** Of a file: it is included, and not excluded. */
  readonly keeps: (relativePath: string) => boolean
  /** Of a file, or of a directory and so of all below it: it is excluded, whatever includes it. */
  readonly excludes: (relativePath: string) => boolean
}

/** Names that begin with a dot are files like any other: leaving one out silently could lose data. */
const options = { dot: true }

export const make = (patterns: Patterns): Selection => {
  const includes = picomatch([...patterns.include], options)
  const excludes = patterns.exclude.length === 0 ? () => false : picomatch([...patterns.exclude], options)
  return { excludes, keeps: (relativePath) => includes(relativePath) && !excludes(relativePath) }
}
