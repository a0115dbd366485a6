/**
 * Digests as the database stores them: 32 bytes, which in a block digest are followed by the number of blocks in four
 * bytes.
 */
import type { SQLOutputValue } from "node:sqlite"

const sha256Bytes = 32

export const hex = (value: SQLOutputValue | undefined): string => {
  const bytes = Buffer.from(value as Uint8Array)
  const digest = bytes.toString("hex", 0, sha256Bytes)
  return bytes.length === sha256Bytes ? digest : `${digest}-${bytes.readUInt32BE(sha256Bytes)}`
}

export const blob = (digest: string): Buffer => {
  const [sum = "", blocks] = digest.split("-")
  const bytes = Buffer.from(sum, "hex")
  if (blocks === undefined) return bytes
  const count = Buffer.alloc(4)
  count.writeUInt32BE(Number(blocks))
  return Buffer.concat([bytes, count])
}
