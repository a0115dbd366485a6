/** Keys of objects: where in the bucket a file goes. */
import { Brand, Either } from "effect"

/** A key that every store accepts: UTF-8, 1 to 1,024 bytes. */
export type ObjectKey = string & Brand.Brand<"ObjectKey">
const ObjectKey = Brand.nominal<ObjectKey>()

/** A prefix without slashes around it; empty for the root of the bucket. */
export type KeyPrefix = string & Brand.Brand<"KeyPrefix">
const KeyPrefix = Brand.nominal<KeyPrefix>()

/** Bytes of UTF-8. Source: "Naming Amazon S3 objects" in the Amazon S3 User Guide. */
export const maxKeyBytes = 1024

const bytes = (text: string) => Buffer.byteLength(text, "utf8")

/**
 * The prefix from what a person wrote: slashes around it go, `/` alone is the root of the bucket.
 *
 * An empty segment is refused because it is nearly always an unset variable (`ibsr/$HOST/snapshots`), and would mix
 * hosts; `.` and `..` because HTTP clients and stores resolve them, each in its own way.
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

/**
 * The key of a path relative to the input directory, or why it can have none. Injective: two paths never share a key.
 *
 * U+FFFD is what a name that is not UTF-8 decodes to, and two such names can decode to the same text; so a name with
 * it has no key, even in the odd case that the character itself was meant.
 */
export const of = (prefix: KeyPrefix, relativePath: string): Either.Either<ObjectKey, string> => {
  if (relativePath.includes("\uFFFD")) return Either.left("its name is not valid UTF-8, and so cannot be a key")
  const key = prefix === "" ? relativePath : `${prefix}/${relativePath}`
  return bytes(key) > maxKeyBytes
    ? Either.left(`its key would have ${bytes(key)} bytes; ${maxKeyBytes} is the most that S3 allows`)
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

/** The media type for a key, by its ending. */
export const contentType = (key: string): string =>
  mediaTypes.get(/\.([^./]+)$/.exec(key)?.[1]?.toLowerCase() ?? "") ?? "application/octet-stream"
