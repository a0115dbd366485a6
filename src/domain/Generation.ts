/**
 * Keys for files whose content was replaced, so that the older object stays unchanged: generation 2 of `status.jsonl` is
 * `status.g2.jsonl`.
 */

const nameAndExtension = /^(.*?)((?:\.[^./]*)?)$/s

/** The path or key of a generation of `path`. */
export const named = <A extends string>(path: A, generation: number): A => {
  if (generation === 1) return path
  const [, name = "", extension = ""] = nameAndExtension.exec(path) ?? []
  return `${name}.g${generation}${extension}` as A
}

export interface Generation {
  readonly path: string
  readonly generation: number
}

/** The forms of a later generation's name: with and without an extension. */
const shapes = [/^(.*)\.g([1-9]\d{0,14})(\.[^./]*)$/s, /^(.*)\.g([1-9]\d{0,14})()$/s]

/** Returns the files that may own the key of `path`, because `path` could be one of their later generations. */
export const possibleOrigins = (path: string): ReadonlyArray<Generation> =>
  shapes
    .map((shape) => {
      const [, name = "", generation = "1", extension = ""] = shape.exec(path) ?? []
      return { path: name + extension, generation: Number(generation) }
    })
    .filter((origin) => origin.generation > 1 && named(origin.path, origin.generation) === path)
