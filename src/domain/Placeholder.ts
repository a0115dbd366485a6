/** Placeholders in a prefix stand for names of the host, so that one configuration fits a whole fleet. */
import { Either } from "effect"
import * as ObjectKey from "./ObjectKey.ts"

export const names = ["hostname", "machine-id", "instance-id"] as const

export type Name = (typeof names)[number]

const isName = (text: string): text is Name => names.some((name) => name === text)

const list = "{hostname}, {machine-id} and {instance-id}"

const pattern = /\{([^{}]*)\}/g

/** A placeholder from the documentation that the user did not replace: `<host-id>`. */
export const leftOver = (text: string): string | undefined => /<[^<>]*>/.exec(text)?.[0]

/**
 * Checks a template before the names of the host are known. It refuses a brace that is not part of a placeholder,
 * because a misspelt placeholder would give all hosts the same prefix.
 */
export const parse = (text: string): Either.Either<ObjectKey.PrefixTemplate, string> => {
  const literal = leftOver(text)
  if (literal !== undefined)
    return Either.left(`a prefix without ${literal} (replace the placeholder, for example by {hostname})`)
  const sample = text.replace(pattern, (placeholder, name: string) => (isName(name) ? "x" : placeholder))
  if (/[{}]/.test(sample)) return Either.left(`a prefix whose only braces are those of ${list}`)
  return Either.map(ObjectKey.parsePrefix(sample), () => text.replace(/^\/+|\/+$/g, "") as ObjectKey.PrefixTemplate)
}

/** Returns the placeholders in the prefix, without duplicates. */
export const usedIn = (template: ObjectKey.PrefixTemplate): ReadonlyArray<Name> => [
  ...new Set(Array.from(template.matchAll(pattern), ([, name = ""]) => name).filter(isName))
]

/** Replaces the placeholders. Fails like `ObjectKey.parsePrefix` if a name cannot be part of a key. */
export const fill = (
  template: ObjectKey.PrefixTemplate,
  values: Readonly<Partial<Record<Name, string>>>
): Either.Either<ObjectKey.KeyPrefix, string> =>
  ObjectKey.parsePrefix(
    template.replace(pattern, (placeholder, name: string) => (isName(name) ? values[name] : undefined) ?? placeholder)
  )

/** Whether a host name distinguishes this host from others: unconfigured hosts share names such as `localhost`. */
export const isOwnHostname = (hostname: string): boolean =>
  hostname !== "" && hostname !== "(none)" && !/^localhost(?:\.|$)/i.test(hostname)
