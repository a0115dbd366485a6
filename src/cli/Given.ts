/** What becomes of the flags of a command, by what stands on its command line. */
import { Options } from "@effect/cli"
import { Record } from "effect"
import type { Flag, Parsed } from "./Flag.ts"

type Flags = Readonly<Record<string, Flag<unknown>>>

/** The value of each flag, or what is wrong with it. */
export type Values<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer A> ? Parsed<A> : never }

/**
 * @effect/cli goes through all words for each flag that it is told of, which for all of ours takes longer than what is
 * left of a start; so it is told of those that are there. `words` are in the form that `Argv` gives them.
 */
export const among = <F extends Flags>(flags: F, words: ReadonlyArray<string>) => {
  const given = new Set(words)
  return Record.map(flags as Flags, (flag) =>
    given.has(`--${flag.name}`) ? flag.option : Options.mapEffect(Options.none, () => flag.absent)
  ) as { readonly [K in keyof F]: Options.Options<Values<F>[K]> }
}
