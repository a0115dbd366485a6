/** "Did you mean": suggests the known name that is most similar to an unknown name. */
import { closest, distance } from "fastest-levenshtein"

/** Whether a flag or variable switches something off, such as `--no-overwrite`. */
const isNegation = (name: string) => /^-*no/i.test(name)

/**
 * Suggests only a similar name, because a wrong suggestion is worse than none. Never suggests a flag's negation or the
 * opposite: `--quiet` for `--no-quiet` would invert the intent.
 */
export const nearest = (name: string, names: ReadonlyArray<string>): string | undefined => {
  const guess = closest(name, [...names])
  const isNear = distance(name, guess) <= Math.max(2, name.length / 3)
  return isNear && isNegation(guess) === isNegation(name) ? guess : undefined
}

/** The end of a message about an unknown name. */
export const suffix = (name: string, names: ReadonlyArray<string>): string => {
  const guess = nearest(name, names)
  return guess === undefined ? "" : `; did you mean ${guess}?`
}
