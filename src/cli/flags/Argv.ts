/**
 * Reads the command line.
 *
 * @effect/cli 0.77 ignores `-c4`, refuses `--include=a` and any `--help` that is not first, names the wrong flag when a
 * flag is unknown, and drops or trims some values. Therefore, `parse` recognises the flags from the same constants, and
 * passes them to @effect/cli in the only form that it reads correctly: one flag per word, its value quoted in the next
 * word, and all occurrences of a repeated flag next to each other.
 */
import { CliConfig, Options } from "@effect/cli"
import { Effect, Record } from "effect"
import type { Env } from "../../domain/Env.ts"
import { UsageError } from "../../domain/Errors.ts"
import { type Flag, type Parsed, quote, unquote, type Values } from "./Flag.ts"
import * as FormerFlags from "./FormerFlags.ts"
import * as Suggestion from "./Suggestion.ts"

export type Request<Command, Text> =
  /** `isShort`: the page describes only the most common flags. */
  | { readonly _tag: "Help"; readonly command: string | undefined; readonly isShort: boolean }
  /** The command line is empty. */
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Version" }
  | { readonly _tag: "Text"; readonly text: Text }
  /** `subject`: an exit code or its name. */
  | { readonly _tag: "Explain"; readonly subject: string }
  /** `args` is in the form for @effect/cli. */
  | { readonly _tag: "Run"; readonly command: Command; readonly args: ReadonlyArray<string> }
  | { readonly _tag: "Refused"; readonly error: UsageError }

/**
 * `texts` are command lines that only print a text, such as `man` or `completion bash`. `--help` and `--version` take
 * precedence over any error in the other words, because an error message would not help. `help s3`, `s3 help` and
 * `version` are what users of other programs try.
 */
export const parse = <Command extends string, Text extends string = never>(
  commands: Readonly<Record<Command, ReadonlyArray<Flag<unknown>>>>,
  args: ReadonlyArray<string>,
  texts: ReadonlyArray<Text> = []
): Request<Command, Text> => {
  if (args.length === 0) return { _tag: "Nothing" }
  const [first, second] = args
  if (first === "help") return { _tag: "Help", command: second, isShort: false }
  if (second === "help") return { _tag: "Help", command: first, isShort: false }
  if (first === "version") return { _tag: "Version" }
  const before = new Set(args.slice(0, args.includes("--") ? args.indexOf("--") : undefined))
  const command = args.find((word) => !word.startsWith("-"))
  const isLong = before.has("--help")
  if (isLong || before.has("-h")) return { _tag: "Help", command, isShort: !isLong }
  if (before.has("--version") || before.has("-V")) return { _tag: "Version" }
  if (first === "explain") return explain(args.slice(1))
  const names = [...new Set([...Object.keys(commands), ...texts.map(firstWord), "explain"])]
  if (command === undefined || args[0] !== command) return refused([`a command comes first: ${names.join(", ")}`])
  if (texts.some((text) => firstWord(text) === command)) return textNamed(texts, args)
  if (!isKey(commands, command)) return refused([`unknown command '${command}'${Suggestion.suffix(command, names)}`])
  const { canonical, problems } = read(commands[command], FormerFlags.translate(args.slice(1)))
  return problems.length > 0 ? refused(problems, command) : { _tag: "Run", command, args: canonical }
}

/** The sources of flag values. `args` has the form that `Run` describes. */
export interface Line {
  readonly args: ReadonlyArray<string>
  readonly env: Env
}

/**
 * The value of each flag, or all problems at once, in the order of the flags.
 *
 * @effect/cli searches all words for each flag it knows, so it only gets the flags that are present.
 */
export const values = <F extends Readonly<Record<string, Flag<unknown>>>>(flags: F, { args, env }: Line) =>
  Effect.gen(function* () {
    const words = new Set(args)
    const present = Record.filter<string, Flag<unknown>>(flags, ({ name }) => words.has(`--${name}`))
    const given: Readonly<Record<string, Parsed<unknown>>> = args.length === 0 ? {} : yield* parsed(present, args)
    const [problems, found] = Record.partitionMap(flags, (flag, key) => given[key] ?? flag.absent(env))
    if (!Record.isEmptyRecord(problems)) return yield* new UsageError({ problems: Object.values(problems).flat() })
    return found as Values<F>
  })

/** Treats it as a defect if @effect/cli refuses or ignores a word that `parse` accepted. */
const parsed = (flags: Readonly<Record<string, Flag<unknown>>>, args: ReadonlyArray<string>) =>
  Options.processCommandLine(Options.all(Record.map(flags, ({ option }) => option)), args, config).pipe(
    Effect.orDie,
    Effect.filterOrDieMessage(([, ignored]) => ignored.length === 0, "@effect/cli ignored a flag"),
    Effect.map(([, , options]) => options)
  )

const config = CliConfig.make({ isCaseSensitive: true })

/** The flags of a `Run`, each as one word of an ordinary command line: `--bucket=b`, `--dry-run`. */
export const words = (args: ReadonlyArray<string>): ReadonlyArray<string> =>
  args.flatMap((name, at) => {
    const value = args[at + 1]
    return !name.startsWith("--") ? [] : [value?.startsWith(":") ? `${name}=${unquote(value)}` : name]
  })

const isKey = <K extends string>(record: Readonly<Record<K, unknown>>, key: string): key is K =>
  Object.hasOwn(record, key)

const firstWord = (text: string) => text.split(" ", 1)[0]!

const textNamed = <Text extends string>(texts: ReadonlyArray<Text>, args: ReadonlyArray<string>) => {
  const choices = texts.filter((text) => firstWord(text) === args[0])
  const text = choices.find((choice) => choice === args.join(" "))
  return text === undefined
    ? refused([`'${args.join(" ")}': there is ${choices.join(", ")}`])
    : ({ _tag: "Text", text } as const)
}

const explain = ([subject, ...others]: ReadonlyArray<string>) =>
  subject === undefined || others.length > 0
    ? refused(["explain takes one exit code, such as 22"])
    : ({ _tag: "Explain", subject } as const)

const refused = (problems: ReadonlyArray<string>, command?: string) =>
  ({ _tag: "Refused", error: new UsageError({ problems, command }) }) as const

const read = (flags: ReadonlyArray<Flag<unknown>>, args: ReadonlyArray<string>) => {
  const byName = new Map(flags.map((flag) => [`--${flag.name}`, flag]))
  const byShort = new Map(flags.map((flag) => [`-${flag.short}`, flag]))
  const withOperands = flags.find(({ operands }) => operands)
  const given = new Map<string, Array<string>>()
  const operands: Array<string> = []
  const problems: Array<string> = []

  for (let at = 0; at < args.length; at++) {
    const word = args[at]!
    const [written, inline] = splitWord(word)
    const flag = byName.get(written) ?? byShort.get(written)
    const name = flag === undefined ? written : `--${flag.name}`
    const earlier = given.get(name)
    if (word === "--" && withOperands !== undefined) {
      operands.push(...args.slice(at + 1))
      break
    } else if (!word.startsWith("-") || word === "--") {
      if (withOperands === undefined) problems.push(`unexpected argument '${word}': the command takes only flags`)
      else operands.push(word)
    } else if (flag !== undefined && flag === withOperands && inline === undefined) {
      given.set(name, earlier ?? [])
    } else if (flag === undefined) {
      const unknown = `unknown flag ${name}${Suggestion.suffix(name, [...byName.keys()])}`
      problems.push(FormerFlags.advice.get(name) ?? unknown)
      // the next word is the value of the unknown flag, not another mistake
      if (inline === undefined && isValue(args[at + 1])) at++
    } else if (earlier !== undefined && !flag.repeated) {
      problems.push(`${name} is given more than once`)
      if (flag.value !== undefined && inline === undefined && isValue(args[at + 1])) at++
    } else if (flag.value === undefined) {
      if (inline !== undefined) problems.push(`${name} takes no value`)
      given.set(name, [])
    } else {
      const next = args[at + 1]
      const value = inline ?? (isValue(next) ? next : flag.implied)
      if (inline === undefined && isValue(next)) at++
      if (value === undefined || value === "") problems.push(missing(flag, next, inline))
      given.set(name, [...(earlier ?? []), name, quote(value ?? "")])
    }
  }
  if (withOperands !== undefined) {
    const name = `--${withOperands.name}`
    // a value that a command always requires needs no flag before it
    const before = given.get(name) ?? (withOperands.required && operands.length > 0 ? [] : undefined)
    const all = before?.concat(operands.flatMap((operand) => [name, quote(operand)]))
    if (withOperands.required && (all?.length ?? 0) > 2) problems.push(`there may be only one ${withOperands.value}`)
    else if (withOperands.required && all === undefined) problems.push(`${withOperands.value} is required`)
    else if (all === undefined)
      problems.push(...operands.map((operand) => `unexpected argument '${operand}': give it after ${name}`))
    else if (all.length === 0 || operands.includes("")) problems.push(missing(withOperands, undefined, undefined))
    else given.set(name, all)
  }
  return { problems, canonical: [...given].flatMap(([name, parts]) => (parts.length === 0 ? [name] : parts)) }
}

/**
 * Whether a word is a value rather than a flag. A negative number counts as a value: its parser gives the better error.
 */
const isValue = (word: string | undefined): word is string => word !== undefined && !/^-(?!\d)/.test(word)

const splitWord = (word: string): readonly [name: string, inline: string | undefined] => {
  const at = word.startsWith("--") ? word.indexOf("=") : -1
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)]
}

const missing = (flag: Flag<unknown>, next: string | undefined, inline: string | undefined) => {
  const root = flag.name === "prefix" ? "; for the bucket's root give --prefix /" : ""
  const dashed =
    inline === undefined && next !== undefined && next !== ""
      ? `; if it is '${next}', write --${flag.name}=${next}`
      : ""
  return `--${flag.name} needs a value (${flag.value})${root}${dashed}`
}
