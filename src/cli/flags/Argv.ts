/**
 * What the command line says, before @effect/cli sees it.
 *
 * @effect/cli 0.77 ignores `-c4`, refuses `--include=a` and a `--help` that is not first, blames the wrong flag for an
 * unknown one, and drops or trims some values. So flags are recognised here, from the same constants, and it is
 * handed an argv in the one form that it reads without fault: one flag per word, its value in the next one, quoted,
 * the occurrences of a repeated flag side by side.
 */
import { closest, distance } from "fastest-levenshtein"
import { UsageError } from "../../domain/Errors.ts"
import { type Flag, quote, unquote } from "./Flag.ts"

export type Commands = Readonly<Record<string, ReadonlyArray<Flag<unknown>>>>

export type Request =
  | { readonly _tag: "Help"; readonly command: string | undefined }
  | { readonly _tag: "Version" }
  | { readonly _tag: "Text"; readonly name: string }
  | { readonly _tag: "Run"; readonly args: ReadonlyArray<string> }
  | { readonly _tag: "Refused"; readonly error: UsageError }

/** `texts` are command lines that only print something, such as `man` or `completion bash`. `help` and `version` win over any error in the rest: who asks for them is not helped by a complaint. */
export const parse = (commands: Commands, args: ReadonlyArray<string>, texts: ReadonlyArray<string> = []): Request => {
  const words = args.slice(0, args.includes("--") ? args.indexOf("--") : undefined)
  const command = args.find((word) => !word.startsWith("-"))
  if (words.some((word) => word === "--help" || word === "-h")) return { _tag: "Help", command }
  if (words.includes("--version")) return { _tag: "Version" }
  const names = [...new Set([...Object.keys(commands), ...texts.map(firstWord)])]
  if (command === undefined || args[0] !== command) return refused([`a command comes first: ${names.join(", ")}`])
  if (texts.some((text) => firstWord(text) === command)) return named(texts, args)
  const flags = Object.hasOwn(commands, command) ? commands[command] : undefined
  if (flags === undefined) {
    return refused([`unknown command '${command}'${nearest(command, names)}`])
  }
  const { canonical, problems } = read(flags, args.slice(1))
  return problems.length > 0 ? refused(problems) : { _tag: "Run", args: [command, ...canonical] }
}

/** The flags of a `Run`, each in one word, as any command line takes them: `--bucket=b`, `--dry-run`. */
export const words = ([, ...args]: ReadonlyArray<string>): ReadonlyArray<string> =>
  args.flatMap((name, at) => {
    const value = args[at + 1]
    return !name.startsWith("--") ? [] : [value?.startsWith(":") ? `${name}=${unquote(value)}` : name]
  })

const firstWord = (text: string) => text.split(" ", 1)[0]!

const named = (texts: ReadonlyArray<string>, args: ReadonlyArray<string>): Request => {
  const name = args.join(" ")
  const of = texts.filter((text) => firstWord(text) === args[0])
  return of.includes(name) ? { _tag: "Text", name } : refused([`'${name}': there is ${of.join(", ")}`])
}

const refused = (problems: ReadonlyArray<string>): Request => ({ _tag: "Refused", error: new UsageError({ problems }) })

/** A suggestion only where it is near: a wrong one is worse than none. */
const nearest = (name: string, names: ReadonlyArray<string>) => {
  const guess = closest(name, [...names])
  return distance(name, guess) <= Math.max(2, name.length / 3) ? `; did you mean ${guess}?` : ""
}

const read = (flags: ReadonlyArray<Flag<unknown>>, words: ReadonlyArray<string>) => {
  const byName = new Map(flags.map((flag) => [`--${flag.name}`, flag]))
  const given = new Map<string, Array<string>>()
  const problems: Array<string> = []

  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    const [name, inline] = splitWord(word)
    const flag = byName.get(name)
    const values = given.get(name)
    if (!word.startsWith("-") || word === "--") {
      problems.push(`unexpected argument '${word}': everything is said with flags`)
    } else if (flag === undefined) {
      problems.push(`unknown flag ${name}${nearest(name, [...byName.keys()])}`)
      // what follows is its value, not another mistake
      if (inline === undefined && isValue(words[at + 1])) at++
    } else if (values !== undefined && !flag.repeated) {
      problems.push(`${name} is given more than once`)
      if (flag.value !== undefined && inline === undefined && isValue(words[at + 1])) at++
    } else if (flag.value === undefined) {
      if (inline !== undefined) problems.push(`${name} takes no value`)
      given.set(name, [])
    } else {
      const next = words[at + 1]
      const value = inline ?? (isValue(next) ? next : undefined)
      if (inline === undefined && value !== undefined) at++
      if (value === undefined || value === "") problems.push(missing(flag, next, inline))
      given.set(name, [...(values ?? []), name, quote(value ?? "")])
    }
  }
  return { problems, canonical: [...given].flatMap(([name, parts]) => (parts.length === 0 ? [name] : parts)) }
}

/** A negative number is a value, if hardly a good one. */
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
