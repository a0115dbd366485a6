/**
 * Where the content of a file goes that was replaced, so that the older object stays as it is: generation 2 of
 * `status.jsonl` is `status.g2.jsonl`.
 */

const nameAndEnding = /^(.*?)((?:\.[^./]*)?)$/s

/** The path, or the key, of a generation. */
export const named = <A extends string>(path: A, generation: number): A => {
  if (generation === 1) return path
  const [, name = "", ending = ""] = nameAndEnding.exec(path) ?? []
  return `${name}.g${generation}${ending}` as A
}

export interface Generation {
  readonly path: string
  readonly generation: number
}

/** With an ending, and without. */
const shapes = [/^(.*)\.g([1-9]\d{0,8})(\.[^./]*)$/s, /^(.*)\.g([1-9]\d{0,8})()$/s]

/** All that a path may be a later generation of: another file may have been given its key. */
export const possibleOrigins = (path: string): ReadonlyArray<Generation> =>
  shapes
    .map((shape) => {
      const [, name = "", generation = "1", ending = ""] = shape.exec(path) ?? []
      return { path: name + ending, generation: Number(generation) }
    })
    .filter((origin) => origin.generation > 1 && named(origin.path, origin.generation) === path)
