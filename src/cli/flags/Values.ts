/** Parsers of flag values. Each fails with a description of the expected value. */
import { Either } from "effect"
import * as ConcurrencyLimit from "../../domain/ConcurrencyLimit.ts"
import * as Placeholder from "../../domain/Placeholder.ts"
import type { Parse } from "./Flag.ts"

/** Any text, because a file system allows any name. */
export const directory: Parse<string> = Object.assign((text: string) => Either.right(text), {
  suggestions: "directory"
} as const)
export const file: Parse<string> = Object.assign((text: string) => Either.right(text), {
  suggestions: "file"
} as const)

/** Text that an HTTP header can carry. */
export const headerText: Parse<string> = (text) =>
  /^(?!\s*$)\P{Cc}+$/u.test(text) ? Either.right(text) : Either.left("text without control characters")

/** The SDK accepts any text as a region that can be part of a host name. */
export const region: Parse<string> = (text) =>
  /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/.test(text) ? Either.right(text) : Either.left("a region such as eu-central-1")

export const integer =
  (min: number, max: number): Parse<number> =>
  (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    return number >= min && number <= max ? Either.right(number) : Either.left(`an integer from ${min} to ${max}`)
  }

/** A number, or `auto`. */
export const concurrency =
  (max: number): Parse<ConcurrencyLimit.Range> =>
  (text) =>
    text === "auto"
      ? Either.right(ConcurrencyLimit.auto)
      : Either.mapBoth(integer(1, max)(text), {
          onLeft: (expected) => `${expected}, or auto`,
          onRight: ConcurrencyLimit.upTo
        })

export const choice = <const A extends string>(...choices: ReadonlyArray<A>): Parse<A> =>
  Object.assign(
    (text: string) =>
      Either.fromNullable(
        choices.find((word) => word === text),
        () => `one of ${choices.join(", ")}`
      ),
    { suggestions: choices }
  )

export const atLeast =
  (min: number, shown: string, parse: Parse<number>): Parse<number> =>
  (text) =>
    Either.filterOrLeft(
      parse(text),
      (value) => value >= min,
      () => `at least ${shown}`
    )

/** Source: "User/Group Name Syntax" of systemd, the strict form. */
export const account: Parse<string> = (text) =>
  /^[A-Za-z_][\w.-]{0,30}$/.test(text) ? Either.right(text) : Either.left("the name of a user or group")

/** A part of the names of units and of files in /etc/cron.d. cron ignores a file with a dot in its name. */
export const jobName: Parse<string> = (text) =>
  /^[A-Za-z0-9](?:[\w-]{0,30}\w)?$/.test(text)
    ? Either.right(text)
    : Either.left("up to 32 letters, digits, dashes and underscores, without a dash at either end")

/** Refuses common mistakes that no bucket name or ARN contains. The store checks the rest. */
export const bucket: Parse<string> = (text) => {
  const literal = Placeholder.leftOver(text)
  if (literal !== undefined) return Either.left(`the name of a bucket (replace the placeholder ${literal})`)
  return /^(?:arn:[^\s]+|(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]*)$/.test(text)
    ? Either.right(text)
    : Either.left("the bucket's name alone, without s3:// and without a path (that is --prefix)")
}

const pair = (text: string): readonly [string, string] | undefined => {
  const at = text.indexOf("=")
  return at < 1 ? undefined : [text.slice(0, at), text.slice(at + 1)]
}

/** Source: "Categorizing your objects using tags" in the Amazon S3 User Guide. */
export const tag: Parse<readonly [string, string]> = (text) =>
  Either.filterOrLeft(
    Either.fromNullable(pair(text), () => "KEY=VALUE"),
    ([key, value]) => key.length <= 128 && value.length <= 256,
    () => "KEY=VALUE with a key of up to 128 and a value of up to 256 characters"
  )

/** The key becomes part of a header's name, and the value is the header's value. Source: RFC 9110, section 5. */
export const metadata: Parse<readonly [string, string]> = (text) =>
  Either.filterOrLeft(
    Either.fromNullable(pair(text), () => "KEY=VALUE"),
    ([key, value]) => /^[\w!#$%&'*+.^`|~-]+$/.test(key) && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value),
    () => "KEY=VALUE in printable ASCII, the key without spaces"
  )

/** A flat JSON object with strings as values. */
export const jsonStrings: Parse<Readonly<Record<string, string>>> = (text) => {
  try {
    const value: unknown = JSON.parse(text)
    if (isStrings(value)) return Either.right(value)
  } catch {
    // the error below also covers text that is not JSON
  }
  return Either.left(`a JSON object of strings such as {"purpose":"ibsr"}`)
}

const isStrings = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((entry) => typeof entry === "string")
