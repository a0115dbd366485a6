/**
 * A flag is one constant: its name, what it means and in which unit, its fallback in the environment, its default, and
 * the domain type it becomes. The parser, `--help` and the README's table are all made from these constants.
 */
import { Options } from "@effect/cli"
import { Array, Either } from "effect"
import type { Env } from "../../domain/Env.ts"

/** A value, or the sentences that say what is wrong with it. */
export type Parsed<A> = Either.Either<A, ReadonlyArray<string>>

/** How a value is read: the value, or what was expected instead, such as `a size such as 8MiB`. */
export interface Parse<A> {
  (text: string): Either.Either<A, string>
  readonly suggestions?: Suggestions
}

/** What a shell can complete a value to: a path of that kind, or one of these words. */
export type Suggestions = "directory" | "file" | ReadonlyArray<string>

export interface Flag<out A> {
  /** Without its dashes. */
  readonly name: string
  /** Heading in `--help`. */
  readonly group: string
  /** Placeholder of the value; undefined for a switch. */
  readonly value: string | undefined
  readonly repeated: boolean
  readonly required: boolean
  readonly description: string
  /** Environment variables that are asked in turn when the flag is not given. An empty one counts as not set. */
  readonly env: ReadonlyArray<string>
  /** As a user would write it. */
  readonly default: string | undefined
  readonly suggestions: Suggestions | undefined
  /** Its value on the command line. */
  readonly option: Options.Options<Parsed<A>>
  /** Its value if it is not there: of the environment, or the default. */
  readonly absent: (env: Env) => Parsed<A>
}

interface Spec {
  readonly name: string
  readonly group: string
  readonly description: string
  /** If not `IBSR_EXPORT_` and the name. */
  readonly env?: ReadonlyArray<string>
}

interface ValueSpec<A> extends Spec {
  readonly value: string
  readonly parse: Parse<A>
}

/**
 * Values travel through @effect/cli in quotes: it trims some of them, drops empty ones, and takes one that looks like
 * a flag for that flag. `Argv` puts the quotes on.
 */
export const quote = (value: string): string => `:${value}:`
export const unquote = (value: string): string => value.slice(1, -1)

/** Separates the values of a repeatable flag in its environment variable. */
const separator = ";"

const envNames = (spec: Spec) => spec.env ?? [`IBSR_EXPORT_${spec.name.toUpperCase().replaceAll("-", "_")}`]

/** A text and where it came from, for the message. */
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
    : Either.mapLeft(spec.parse(text), (expected) => [`${from}: expected ${expected}, got '${withoutLogin(text)}'`])

/** A URL may carry a password, which must not reach a log. */
const withoutLogin = (text: string) => text.replace(/\/\/.*@/, "//…@")

const single = <A, B>(spec: ValueSpec<A>, fallback: () => Parsed<B>): Pick<Flag<A | B>, "absent" | "option"> => ({
  option: Options.map(Options.text(spec.name), (given) => read(spec, { text: unquote(given), from: `--${spec.name}` })),
  absent: (env): Parsed<A | B> => {
    const found = fromEnv(env, spec)
    return found === undefined ? fallback() : read(spec, found)
  }
})

const describe = (spec: Spec & { readonly parse?: Parse<unknown> }) => ({
  name: spec.name,
  group: spec.group,
  description: spec.description,
  env: envNames(spec),
  suggestions: spec.parse?.suggestions
})

export const required = <A>(spec: ValueSpec<A>): Flag<A> => ({
  ...describe(spec),
  value: spec.value,
  repeated: false,
  required: true,
  default: undefined,
  ...single(spec, () => Either.left([`--${spec.name} is required (or ${envNames(spec).join(" or ")})`]))
})

export const optional = <A>(spec: ValueSpec<A>): Flag<A | undefined> => ({
  ...describe(spec),
  value: spec.value,
  repeated: false,
  required: false,
  default: undefined,
  ...single(spec, () => Either.right(undefined))
})

/** The default is written as a user would write it, and read like any other value. */
export const withDefault = <A>(
  spec: ValueSpec<A> & {
    readonly default: string
    /** What the documentation says instead, where the default depends on the host. */
    readonly shownDefault?: string
  }
): Flag<A> => ({
  ...describe(spec),
  value: spec.value,
  repeated: false,
  required: false,
  default: spec.shownDefault ?? spec.default,
  ...single(spec, () => read(spec, { text: spec.default, from: `--${spec.name}` }))
})

/** Given once for each value; in the environment, values are separated by `;`. */
export const repeated = <A>(spec: ValueSpec<A> & { readonly default?: string }): Flag<ReadonlyArray<A>> => ({
  ...describe(spec),
  value: spec.value,
  repeated: true,
  required: false,
  default: spec.default,
  option: Options.map(Options.repeated(Options.text(spec.name)), (given) =>
    together(given.map((text) => read(spec, { text: unquote(text), from: `--${spec.name}` })))
  ),
  absent: (env) => together(split(fromEnv(env, spec), spec.default).map((one) => read(spec, one)))
})

/** All values, or all that is wrong with them. */
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

const truth = new Map([
  ...["1", "true", "yes", "on"].map((word) => [word, true] as const),
  ...["0", "false", "no", "off"].map((word) => [word, false] as const)
])

/** Off, unless given or switched on in the environment. */
export const toggle = (spec: Spec): Flag<boolean> => ({
  ...describe(spec),
  value: undefined,
  repeated: false,
  required: false,
  default: undefined,
  option: Options.map(Options.boolean(spec.name), Either.right),
  absent: (env) => {
    const found = fromEnv(env, spec)
    if (found === undefined) return Either.right(false)
    const { from, text } = found
    return Either.fromNullable(truth.get(text.toLowerCase()), () => [`${from}: expected true or false, got '${text}'`])
  }
})
