/** What becomes of the flags of a command, by what stands on its command line, and in the environment. */
import type { Options } from "@effect/cli"
import { Record } from "effect"
import type { Env } from "../../domain/Env.ts"
import type { Flag, Parsed } from "./Flag.ts"

export interface Line {
  /** In the form that `Argv` gives them. */
  readonly words: ReadonlyArray<string>
  readonly env: Env
}

type Flags = Readonly<Record<string, Flag<unknown>>>

/** The value of each flag, or what is wrong with it. */
export type Values<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer A> ? Parsed<A> : never }

/**
 * @effect/cli goes through all words for each flag that it is told of. So it is told of those that are there, and
 * `complete` adds the others to what it makes of them.
 */
export const among = <F extends Flags>(flags: F, { env, words }: Line) => {
  const given = new Set(words)
  const present = Record.filter(flags as Flags, ({ name }) => given.has(`--${name}`))
  const options: Readonly<Record<string, Options.Options<Parsed<unknown>>>> = Record.map(present, (flag) => flag.option)
  return {
    options,
    complete: (parsed: Readonly<Record<string, Parsed<unknown>>>) =>
      Record.map(flags as Flags, (flag, key) => parsed[key] ?? flag.absent(env)) as Values<F>
  }
}
