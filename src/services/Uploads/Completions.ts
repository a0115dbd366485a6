import { Clock, Effect } from "effect"
import type { FileError, Interrupted } from "../../domain/Errors.ts"
import * as LostCompletion from "../../domain/LostCompletion.ts"
import type { Settings } from "../../domain/Settings.ts"
import type { UploadRecord } from "./UploadRecord.ts"

/**
 * Sends a file in parts. After a lost completion, sends the file again, as often as `LostCompletion` allows. `sent`
 * starts a new upload if the store no longer knows the previous one.
 */
export const send = <A>(
  record: UploadRecord,
  { force }: Pick<Settings, "force">,
  sent: Effect.Effect<A, FileError | Interrupted>
): Effect.Effect<A, FileError | Interrupted> =>
  Effect.gen(function* () {
    const lost = yield* record.lostCompletions
    const attempts = LostCompletion.attemptsLeft(force ? LostCompletion.none : lost, yield* Clock.currentTimeMillis)
    if (attempts === 0) return yield* LostCompletion.failure(true)
    return yield* sent.pipe(
      Effect.tapError((error) => (LostCompletion.isLost(error) ? record.completionLost : Effect.void)),
      Effect.retry({ times: attempts - 1, while: LostCompletion.isLost }),
      Effect.zipLeft(record.completionAnswered)
    )
  })
