import { createHash } from "node:crypto"
import { crc32 } from "node:zlib"
import { S3Error } from "./Responses.ts"
import type { Headers } from "./Types.ts"

// CRC-32C (Castagnoli), with the reflected polynomial.
const castagnoli = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value >>> 0
})

const crc32c = (data: Uint8Array): number => {
  let value = 0xffffffff
  for (const byte of data) value = (castagnoli[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8)
  return (value ^ 0xffffffff) >>> 0
}

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const hash = (name: string) => (data: Uint8Array) => createHash(name).update(data).digest()

const algorithms: Readonly<Record<string, (data: Uint8Array) => Buffer>> = {
  crc32: (data) => word(crc32(data)),
  crc32c: (data) => word(crc32c(data)),
  sha1: hash("sha1"),
  sha256: hash("sha256")
}

export const md5 = hash("md5")

export const sha256 = hash("sha256")

/** Computes a checksum with one of S3's algorithms, whose name is in lower case. */
export const checksum = (algorithm: string, data: Uint8Array): Buffer => {
  const compute = algorithms[algorithm]
  if (compute === undefined) throw new S3Error(501, "NotImplemented", `The checksum ${algorithm} is not implemented.`)
  return compute(data)
}

const headerPrefix = "x-amz-checksum-"

// Headers that describe how checksums are used. They have no value to verify.
const descriptive = new Set(["x-amz-checksum-algorithm", "x-amz-checksum-type", "x-amz-checksum-mode"])

/** The only checksum header of a request: its algorithm and its base64 value. Throws if there are several. */
export const sentChecksum = (headers: Headers): { algorithm: string; value: string } | undefined => {
  const names = Object.keys(headers).filter((name) => name.startsWith(headerPrefix) && !descriptive.has(name))
  if (names.length > 1) {
    throw new S3Error(
      400,
      "InvalidRequest",
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
    )
  }
  const name = names[0]
  if (name === undefined) return undefined
  if (headers["content-md5"] !== undefined) {
    throw new S3Error(400, "InvalidRequest", "You can only specify one non-default checksum at a time.")
  }
  return { algorithm: name.slice(headerPrefix.length), value: headers[name] ?? "" }
}

/** Verifies the checksums of a PutObject or UploadPart request. Returns the headers that the response echoes. */
export const verifyChecksums = (headers: Headers, body: Buffer): Record<string, string> => {
  const sent = sentChecksum(headers)
  const announced = headers["x-amz-sdk-checksum-algorithm"]?.toLowerCase()
  if (announced !== undefined && sent?.algorithm !== announced) {
    throw new S3Error(
      400,
      "InvalidRequest",
      "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
    )
  }
  const contentMd5 = headers["content-md5"]
  if (contentMd5 !== undefined) {
    if (!/^[A-Za-z0-9+/]{22}==$/.test(contentMd5)) {
      throw new S3Error(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
    }
    if (contentMd5 !== md5(body).toString("base64")) {
      throw new S3Error(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
    }
  }
  if (sent === undefined) return {}
  const name = headerPrefix + sent.algorithm
  const actual = checksum(sent.algorithm, body).toString("base64")
  if (sent.value.length !== actual.length || !/^[A-Za-z0-9+/]+=*$/.test(sent.value)) {
    throw new S3Error(400, "InvalidRequest", `Value for ${name} header is invalid.`)
  }
  if (sent.value !== actual) {
    throw new S3Error(
      400,
      "BadDigest",
      `The ${sent.algorithm.toUpperCase()} you specified did not match the calculated checksum.`
    )
  }
  return { [name]: sent.value }
}
