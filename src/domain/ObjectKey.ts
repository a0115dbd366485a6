/** The object key of a file. */
import { Brand, Either } from "effect"

/** A key that every store accepts: UTF-8, 1 to 1,024 bytes. */
export type ObjectKey = string & Brand.Brand<"ObjectKey">
const ObjectKey = Brand.nominal<ObjectKey>()

/** A prefix that may contain placeholders: see `Placeholder.ts`. */
export type PrefixTemplate = string & Brand.Brand<"PrefixTemplate">

/** A prefix without slashes at its ends; empty for the root of the bucket. */
export type KeyPrefix = PrefixTemplate & Brand.Brand<"KeyPrefix">
const KeyPrefix = Brand.nominal<KeyPrefix>()

/** Maximum length in bytes of UTF-8. Source: "Naming Amazon S3 objects" in the Amazon S3 User Guide. */
export const maxKeyBytes = 1024

const bytes = (text: string) => Buffer.byteLength(text, "utf8")

/**
 * Parses a prefix. Ignores slashes at its ends; `/` alone is the root of the bucket.
 *
 * It refuses an empty segment, which is nearly always an unset variable (`ibsr/$HOST/snapshots`) and would mix hosts. It
 * refuses `.` and `..`, which HTTP clients and stores resolve in different ways.
 */
export const parsePrefix = (text: string): Either.Either<KeyPrefix, string> => {
  const prefix = text.replace(/^\/+|\/+$/g, "")
  const segments = prefix === "" ? [] : prefix.split("/")
  if (segments.includes("")) return Either.left("a prefix without empty segments ('//'); is a variable unset?")
  if (segments.some((segment) => segment === "." || segment === "..")) {
    return Either.left("a prefix without the segments '.' and '..'")
  }
  if (!prefix.isWellFormed() || prefix.includes("\uFFFD")) return Either.left("a prefix in valid UTF-8")
  if (bytes(prefix) > maxKeyBytes - 2) return Either.left(`a prefix that leaves room in a key of ${maxKeyBytes} bytes`)
  return Either.right(KeyPrefix(prefix))
}

/** The beginning of every key below the prefix. */
export const startOf = (prefix: KeyPrefix): string => (prefix === "" ? "" : `${prefix}/`)

/**
 * The key of a path relative to the input directory, or the reason why it has none. Two paths never share a key.
 *
 * A name that is not UTF-8 decodes to U+FFFD, and two such names can decode to the same text. So a name with U+FFFD has
 * no key, even if it really contains that character.
 */
export const of = (prefix: KeyPrefix, relativePath: string): Either.Either<ObjectKey, string> => {
  if (relativePath.includes("\uFFFD")) return Either.left("its name is not valid UTF-8, so it cannot be a key")
  const key = startOf(prefix) + relativePath
  return bytes(key) > maxKeyBytes
    ? Either.left(`its key would have ${bytes(key)} bytes; ${maxKeyBytes} is the limit of S3`)
    : Either.right(ObjectKey(key))
}

const mediaTypes = new Map([
  ["jsonl", "application/x-ndjson"],
  ["json", "application/json"],
  ["gz", "application/gzip"],
  ["zst", "application/zstd"],
  ["pcap", "application/vnd.tcpdump.pcap"],
  ["csv", "text/csv"],
  ["txt", "text/plain"],
  ["md", "text/markdown"]
])

/** The media type of a key, by its extension. */
export const contentType = (key: string): string =>
  mediaTypes.get(/\.([^./]+)$/.exec(key)?.[1]?.toLowerCase() ?? "") ?? "application/octet-stream"
