/** Creates the files to upload: snapshots of JSON lines, as the collector writes them. The content is always the same. */
import { appendFileSync, mkdirSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

export interface Load {
  readonly folder: string
  /** Paths relative to the folder. */
  readonly files: ReadonlyArray<string>
  readonly bytes: number
}

/** A pseudorandom generator of numbers from 0 up to, but not including, 1 (linear congruential). */
export const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

const line = (next: () => number): string => {
  const upTo = (limit: number) => Math.floor(next() * limit)
  const buckets = Array.from({ length: 1 + upTo(4) }, () => ({
    key_type: "src_ip",
    src_ip: `10.${upTo(256)}.${upTo(256)}.${upTo(256)}`,
    dst_port: [80, 443, 8080, 8443][upTo(4)],
    syn: upTo(5000),
    ack: upTo(5000),
    handshake_ack: upTo(300),
    rst: upTo(50),
    packets: upTo(90_000),
    bytes: upTo(9_000_000)
  }))
  return `${JSON.stringify({ version: 5, ts_unix_sec: 1_767_225_600 + upTo(86_400), buckets })}\n`
}

/** Makes complete lines of exactly `bytes` bytes. Spaces before the last line break fill the rest. */
const lines = (bytes: number, next: () => number): Buffer => {
  const content = Buffer.alloc(bytes, " ")
  let at = 0
  for (let text = line(next); at + text.length < bytes; text = line(next)) at += content.write(text, at, "latin1")
  content.write(" ", Math.max(0, at - 1), "latin1")
  content.write("\n", bytes - 1, "latin1")
  return content
}

// modified in the past, so that every file counts as final
const modifiedAt = new Date("2026-01-02T03:04:05Z")

/** The size of the unique content at the start of each file. Small files consist only of unique content. */
const ownBytes = 2 ** 16
/** The size of the block that repeats in the rest of a large file. */
const blockBytes = 4 * 2 ** 20

/** Creates `count` files of `bytes` bytes each, in 24 directories, one for each hour of a day. */
export const make = (folder: string, count: number, bytes: number): Load => {
  const next = random(count)
  const block = bytes > ownBytes ? lines(blockBytes, next) : Buffer.alloc(0)
  const files = Array.from({ length: count }, (_, at) => {
    const hour = String(at % 24).padStart(2, "0")
    // uses the collector's names, and adds a number if there are more files than hours
    const number = count <= 24 ? "" : `_${String(at).padStart(7, "0")}`
    return `${hour}/snapshot_20260101${hour}${number}.jsonl`
  })
  for (const file of files) {
    const path = join(folder, file)
    mkdirSync(dirname(path), { recursive: true })
    const own = lines(Math.min(bytes, ownBytes), next)
    writeFileSync(path, own)
    for (let left = bytes - own.length; left > 0; left -= block.length) {
      appendFileSync(path, left > block.length ? block : lines(left, next))
    }
    utimesSync(path, modifiedAt, modifiedAt)
  }
  return { folder, files, bytes: count * bytes }
}
