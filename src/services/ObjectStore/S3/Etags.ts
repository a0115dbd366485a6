/**
 * Compares ETags with the bodies that were sent, if the store's ETags are MD5 digests.
 *
 * | the ETag is                        | this store's ETags are | the body is                              |
 * | ---------------------------------- | ---------------------- | ---------------------------------------- |
 * | not an MD5 digest by its form      | any                    | accepted                                 |
 * | that of an empty body, which it is not | any                | wrong: something dropped the bytes       |
 * | the body's MD5 digest              | any                    | right; the ETags are MD5 digests         |
 * | another                            | MD5 digests            | wrong                                    |
 * | another                            | not known yet          | accepted; after three, they are not MD5 digests |
 *
 * The ETags of encrypted objects and of some stores look like MD5 digests, but are not. Source: "Object" in the Amazon
 * S3 API Reference.
 */
import { hash } from "node:crypto"

export interface Etags {
  /** Describes the difference; undefined if there is none. Computes an MD5 digest only if it may decide the result. */
  readonly mismatch: (etag: string, bytes: Uint8Array) => string | undefined
}

const emptyDigest = "d41d8cd98f00b204e9800998ecf8427e"
/** After this many ETags that differ from the MD5 digest, the store's ETags count as something else. */
const maxOthers = 3

/** For the requests of one operation. */
export const make = (): Etags => {
  let isMd5 = false
  let others = 0
  return {
    mismatch: (quoted, bytes) => {
      const etag = quoted.replaceAll('"', "").toLowerCase()
      if (!/^[\da-f]{32}$/.test(etag)) return undefined
      if (etag === emptyDigest && bytes.length > 0) return "the store received an empty body"
      if (others === maxOthers) return undefined
      const md5 = hash("md5", bytes)
      if (etag === md5) isMd5 = true
      else if (isMd5) return `MD5 of what was sent is ${md5}, of what was stored ${etag}`
      else others++
      return undefined
    }
  }
}
