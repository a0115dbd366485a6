/**
 * A flag is one constant: its name, its meaning, its environment variables, its default, and the domain type it becomes.
 * The parser, `--help`, the manual page and the completions are all made from these constants.
 */
import { Options } from "@effect/cli"
import { Array, Either } from "effect"
import * as Endpoint from "../../domain/Endpoint.ts"
import type { Env } from "../../domain/Env.ts"

/** A value, or its errors, each as a sentence. */
export type Parsed<A> = Either.Either<A, ReadonlyArray<string>>

/** Parses a value. Fails with a description of the expected value, such as `a size such as 8MiB`. */
export interface Parse<A> {
  (text: string): Either.Either<A, string>
  readonly suggestions?: Suggestions
}

/** Completions that a shell offers for a value: paths of that kind, or these words. */
export type Suggestions = "directory" | "file" | ReadonlyArray<string>

export interface Flag<out A> {
  /** The name without its dashes. */
  readonly name: string
  /** A second name: one character, given after a single dash. */
  readonly short: string | undefined
  /** Whether words that do not belong to any flag are values of this flag. */
  readonly operands: boolean
  /** Heading in `--help`. */
  readonly group: string
  /** Placeholder of the value; undefined for a switch. */
  readonly value: string | undefined
  /** The value of a flag that is given without one; undefined if it needs a value. */
  readonly implied: string | undefined
  readonly repeated: boolean
  readonly required: boolean
  readonly description: string
  /** Environment variables, tried in this order if the flag is not given. An empty variable counts as unset. */
  readonly env: ReadonlyArray<string>
  /** The default, as the documentation shows it. */
  readonly default: string | undefined
  readonly suggestions: Suggestions | undefined
  /** Parses the flag's value on the command line. */
  readonly option: Options.Options<Parsed<A>>
  /** The value if the flag is not on the command line: from the environment, or else the default. */
  readonly absent: (env: Env) => Parsed<A>
}

/** A flag for each field of `A`. */
export type Flags<A> = { readonly [K in keyof A]: Flag<A[K]> }

/** The value of each flag. */
export type Values<F> = { readonly [K in keyof F]: F[K] extends Flag<infer A> ? A : never }

interface Spec {
  readonly name: string
  readonly short?: string
  readonly operands?: boolean
  readonly group: string
  readonly description: string
  /** By default, `IBSR_EXPORT_` plus the flag's name. */
  readonly env?: ReadonlyArray<string>
}

interface ValueSpec<A> extends Spec {
  readonly value: string
  readonly parse: Parse<A>
}

/**
 * Values pass through @effect/cli in quotes. Without quotes, it trims some values, drops empty values, and mistakes a value
 * that starts with a dash for a flag. `Argv` adds the quotes.
 */
export const quote = (value: string): string => `:${value}:`
export const unquote = (value: string): string => value.slice(1, -1)

/** Separates the values of a repeatable flag in its environment variable. */
const separator = ";"

/** The beginning of every variable's name, except those that AWS tools define. */
export const prefix = "IBSR_EXPORT_"

const envNames = (spec: Spec) => spec.env ?? [prefix + spec.name.toUpperCase().replaceAll("-", "_")]

/** A value before parsing, and the flag or variable that it comes from. */
interface Given {
  readonly text: string
  readonly from: string
}

const fromEnv = (env: Env, spec: Spec): Given | undefined => {
  const from = envNames(spec).find((name) => Boolean(env[name]))
  return from === undefined ? undefined : { text: env[from]!, from }
}

const read = <A>(spec: ValueSpec<A>, { from, text }: Given): Parsed<A> =>
  text === ""
    ? Either.left([`${from} needs a value`])
    : Either.mapLeft(spec.parse(text), (expected) => [
        `${from}: expected ${expected}, got '${Endpoint.withoutLogin(text)}'`
      ])

const make = <A>(
  spec: Spec & { readonly value?: string; readonly parse?: Parse<unknown> },
  more: Pick<Flag<A>, "absent" | "option"> & Partial<Pick<Flag<A>, "default" | "repeated" | "required">>
): Flag<A> => ({
  name: spec.name,
  short: spec.short,
  operands: spec.operands ?? false,
  group: spec.group,
  value: spec.value,
  implied: undefined,
  repeated: false,
  required: false,
  description: spec.description,
  env: envNames(spec),
  default: undefined,
  suggestions: spec.parse?.suggestions,
  ...more
})

const single = <A, B>(
  spec: ValueSpec<A>,
  fallback: (env: Env) => Parsed<B>
): Pick<Flag<A | B>, "absent" | "option"> => ({
  option: Options.map(Options.text(spec.name), (given) => read(spec, { text: unquote(given), from: `--${spec.name}` })),
  absent: (env): Parsed<A | B> => {
    const found = fromEnv(env, spec)
    return found === undefined ? fallback(env) : read(spec, found)
  }
})

export const required = <A>(spec: ValueSpec<A>): Flag<A> =>
  make(spec, {
    required: true,
    ...single(spec, () => Either.left([`--${spec.name} is required (or ${envNames(spec).join(" or ")})`]))
  })

export const optional = <A>(spec: ValueSpec<A>): Flag<A | undefined> =>
  make(
    spec,
    single(spec, () => Either.right(undefined))
  )

/** The default is text, as a user would write it. `shown` documents a default that depends on the host. */
export const withDefault = <A>(
  spec: ValueSpec<A> & { readonly default: string | { readonly shown: string; readonly of: (env: Env) => string } }
): Flag<A> => {
  const standard = spec.default
  const { of, shown } = typeof standard === "string" ? { shown: standard, of: () => standard } : standard
  return make(spec, {
    default: shown,
    ...single(spec, (env) => read(spec, { text: of(env), from: `--${spec.name}` }))
  })
}

/** The flag is given once per value. In the environment, `;` separates values. */
export const repeated = <A>(spec: ValueSpec<A> & { readonly default?: string }): Flag<ReadonlyArray<A>> =>
  make(spec, {
    repeated: true,
    default: spec.default,
    option: Options.map(Options.repeated(Options.text(spec.name)), (given) =>
      together(given.map((text) => read(spec, { text: unquote(text), from: `--${spec.name}` })))
    ),
    absent: (env) => together(split(fromEnv(env, spec), spec.default).map((value) => read(spec, value)))
  })

/** Like `repeated`, but the values are the entries of one record. */
export const record = <A>(spec: ValueSpec<readonly [key: string, value: A]>): Flag<Readonly<Record<string, A>>> => {
  const entries = repeated(spec)
  const unique = (parsed: Parsed<ReadonlyArray<readonly [string, A]>>): Parsed<Readonly<Record<string, A>>> =>
    Either.flatMap(parsed, (pairs) =>
      new Set(pairs.map(([key]) => key)).size < pairs.length
        ? Either.left([`--${spec.name}: a key is given twice`])
        : Either.right(Object.fromEntries(pairs))
    )
  return { ...entries, option: Options.map(entries.option, unique), absent: (env) => unique(entries.absent(env)) }
}

/** All values, or all errors. */
const together = <A>(parsed: ReadonlyArray<Parsed<A>>): Parsed<ReadonlyArray<A>> => {
  const [problems, values] = Array.separate(parsed)
  return problems.length > 0 ? Either.left(problems.flat()) : Either.right(values)
}

const split = (found: Given | undefined, fallback: string | undefined): ReadonlyArray<Given> => {
  const values = ({ from, text }: Given) =>
    text
      .split(separator)
      .map((value) => ({ text: value.trim(), from }))
      .filter((value) => value.text !== "")
  const given = found === undefined ? [] : values(found)
  return given.length > 0 ? given : values({ text: fallback ?? "", from: "default" })
}

/** Like `toggle`, but three values: yes, no, or neither. `--flag` alone means yes. */
export const choice = (spec: Spec): Flag<boolean | undefined> => ({
  ...optional({
    ...spec,
    value: "[yes|no]",
    parse: Object.assign((text: string) => Either.fromNullable(truth.get(text.toLowerCase()), () => "yes or no"), {
      suggestions: ["yes", "no"]
    })
  }),
  implied: "yes"
})

const truth = new Map([
  ...["1", "true", "yes", "on"].map((word) => [word, true] as const),
  ...["0", "false", "no", "off"].map((word) => [word, false] as const)
])

/** A switch: off, unless it is given or switched on in the environment. */
export const toggle = (spec: Spec): Flag<boolean> =>
  make(spec, {
    option: Options.map(Options.boolean(spec.name), Either.right),
    absent: (env) => {
      const found = fromEnv(env, spec)
      if (found === undefined) return Either.right(false)
      const { from, text } = found
      return Either.fromNullable(truth.get(text.toLowerCase()), () => [
        `${from}: expected true or false, got '${text}'`
      ])
    }
  })
