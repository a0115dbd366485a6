/**
 * Finds the checksum that the store accepts. The candidates, in order: SHA-256, Content-MD5, none. If a refusal may
 * concern the checksum, the request is sent once more with the next one. Later requests use the checksum that the store
 * accepted.
 *
 * | the refusal                          | next                                                                |
 * | ------------------------------------ | ------------------------------------------------------------------- |
 * | names a checksum header or algorithm | the next one; Content-MD5 if the request had none                    |
 * | is 501, or 400 without a clear cause | the next one, unless the store has accepted this one in this operation |
 * | blames the signature                 | the same, but only once                                              |
 * | is anything else                     | fails                                                                |
 *
 * The signature covers the SHA-256 of every body, so that a changed body is noticed even without a checksum.
 */
import type { StoreAnswer, StoreError } from "../../../domain/Errors.ts"
import type { Checksum } from "../../../domain/StoreTraits.ts"
import { isListed } from "./ErrorTable.ts"
import * as Thrown from "./Thrown.ts"

/** The operations that send a checksum or name its algorithm. */
export type Operation = "PutObject" | "CreateMultipartUpload" | "UploadPart"

export interface ChecksumDialect {
  readonly current: () => Checksum
  /** Starts with the checksum that the store accepted in an earlier run. */
  readonly assume: (accepted: Checksum) => void
  readonly accept: (operation: Operation, accepted: Checksum) => void
  /** The next checksum for a request that was refused with each of `tried`, in this order. */
  readonly next: (operation: Operation, error: StoreError, tried: ReadonlyArray<Checksum>) => Checksum | undefined
  /** Records that the operation fails with every checksum. */
  readonly exhaust: (operation: Operation) => void
}

export const make = (): ChecksumDialect => {
  let current: Checksum = "SHA256"
  let isRemembered = false
  /** The operations that were accepted with `current`. */
  const accepted = new Set<Operation>()
  const exhausted = new Set<Operation>()

  return {
    current: () => current,
    assume: (checksum) => {
      current = checksum
      isRemembered = checksum !== "SHA256"
    },
    accept: (operation, checksum) => {
      if (checksum !== current) {
        current = checksum
        isRemembered = false
        accepted.clear()
      }
      accepted.add(operation)
    },
    next: (operation, error, tried) => {
      const refusal = refusalOf(error)
      if (refusal === undefined || exhausted.has(operation)) return undefined
      if (refusal !== "named" && (isRemembered || accepted.has(operation))) return undefined
      if (refusal === "signature" && tried.length > 1) return undefined
      const next = after(operation, tried.at(-1))
      return next === undefined || tried.includes(next) ? undefined : next
    },
    exhaust: (operation) => void exhausted.add(operation)
  }
}

const after = (operation: Operation, last: Checksum | undefined): Checksum | undefined => {
  // the request that creates an upload is the same with Content-MD5 and with none
  if (operation === "CreateMultipartUpload" && last !== "SHA256") return undefined
  return last === "MD5" ? "none" : "MD5"
}

/** Returns why a failure may concern the checksum; undefined if it does not. */
export const refusalOf = (error: StoreError): "named" | "not-implemented" | "unexplained" | "signature" | undefined => {
  if (error._tag === "CredentialsRejected") return error.code === "SignatureDoesNotMatch" ? "signature" : undefined
  if (error._tag === "NetworkFailure" && isBare(error)) return "unexplained"
  if (error._tag !== "UploadFailed" || error.retryable) return undefined
  if (namesChecksum(`${error.code} ${error.detail}`)) return "named"
  if (error.status === 501 || error.code === "NotImplemented") return "not-implemented"
  return error.status === 400 && !isListed(error.code) ? "unexplained" : undefined
}

/** Whether the response is a refusal of the store without an error code, and not another server's page. */
const isBare = ({ cause, code, status }: StoreAnswer) =>
  status === 400 && code === undefined && !/html/.test(Thrown.headersOf(Thrown.read(cause))["content-type"] ?? "")

/** The header of the signed hash does not count as a checksum header, because every request needs it. */
const namesChecksum = (text: string) =>
  /checksum|content-?md5|sha-?256/i.test(text.replaceAll(/x-amz-content-sha256/gi, ""))
