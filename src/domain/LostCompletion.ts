/**
 * A lost completion is a request to complete a multipart upload that got no response, after which the store no longer
 * knows the upload. The store may hold the object, but nothing proves it. The usual cause is a load balancer that stops
 * waiting before the store has completed the upload.
 */
import { type StoreAnswer, UploadFailed } from "./Errors.ts"

/** The lost completions of one file since the last completion that had a response. */
export interface LostCompletions {
  readonly count: number
  /** When the last one was lost, in milliseconds since 1970. */
  readonly at: number
}

export const none: LostCompletions = { count: 0, at: 0 }

/**
 * After `maxLost` lost completions, no run sends the file until `pauseMillis` after the last one. The collector keeps a
 * file for longer than this pause.
 */
const maxLost = 3
const pauseMillis = 6 * 3_600_000

/**
 * How often a run may send the file.
 *
 * | completions lost in earlier runs | the last one | times |
 * | -------------------------------- | ------------ | ----- |
 * | 0                                |              | 2     |
 * | 1 or 2                           |              | 1     |
 * | 3 or more                        | within six hours | 0 |
 * | 3 or more                        | longer ago   | 1     |
 */
export const attemptsLeft = ({ at, count }: LostCompletions, nowMillis: number): 0 | 1 | 2 => {
  if (count === 0) return 2
  return count < maxLost || nowMillis - at > pauseMillis ? 1 : 0
}

/**
 * `isPostponed`: the file was not sent, because `attemptsLeft` is 0. `refusal`: the last error response of the store.
 */
export const failure = (isPostponed: boolean, refusal?: StoreAnswer): UploadFailed =>
  new UploadFailed({
    operation: "CompleteMultipartUpload",
    code: "NoSuchUpload",
    retryable: false,
    ...refusal,
    detail: "the store may hold the object, but did not answer its completion and no longer knows the upload",
    advice: `raise the time-out of the load balancer or proxy before the store: completing takes longer; ${
      isPostponed
        ? "the file is sent again six hours after its last attempt, or with --force"
        : "the next run sends it again"
    }`,
    isCompletionLost: !isPostponed
  })

export const isLost = (error: { readonly _tag: string; readonly isCompletionLost?: boolean | undefined }): boolean =>
  error.isCompletionLost === true
