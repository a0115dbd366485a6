/** "Did you mean": the known name that an unknown one was probably meant to be. */
import { closest, distance } from "fastest-levenshtein"

/** Flags, and their variables, that switch something off: `--no-overwrite`. */
const isNegation = (name: string) => /^(?:-*|IBSR_EXPORT_)no/i.test(name)

/**
 * Only a near name: a wrong suggestion is worse than none. Never one that switches off what the other switches on, or
 * the reverse: `--quiet` is not what `--no-quiet` asks for.
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
