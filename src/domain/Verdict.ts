/** What a failure of one file means for the others. */
import type { FileError } from "./Errors.ts"
import * as Outcome from "./Outcome.ts"

/** So many denials without anything stored are not about single keys any more. */
const denials = 3

/**
 * | failure                                     | the run ends                                             |
 * | ------------------------------------------- | -------------------------------------------------------- |
 * | credentials, bucket, TLS, the ledger        | at once: every file would meet it                        |
 * | access denied, by the store or by a proxy   | at the third, if nothing was stored: a single key may be locked or reserved, and the others must not wait for it |
 * | anything else                               | no                                                       |
 *
 * The tally is that of the run so far, this failure included.
 */
export const endsRun = (error: FileError, tally: Pick<Outcome.Tally, "uploaded" | "denied">): boolean => {
  switch (error._tag) {
    case "CredentialsMissing":
    case "CredentialsRejected":
    case "BucketUnusable":
    case "TlsFailure":
    case "StateUnusable":
      return true
    case "AccessDenied":
    case "NetworkFailure":
      return Outcome.isDenial(error) && tally.uploaded === 0 && tally.denied >= denials
    default:
      return false
  }
}
