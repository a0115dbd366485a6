import { Array, Effect, type Exit, FiberSet } from "effect"
import * as Callback from "../../fibers/Callback.ts"

/** A request's subject and how the request ended. */
export type Answer<A, B, E> = readonly [A, Exit.Exit<B, E>]

/**
 * How many milliseconds to collect answers. If the run is killed during that time, the next run sends the files again.
 */
const batchMillis = 20

/**
 * Starts a request for each subject, preferably a `Callback`. Processes answers that arrive within `batchMillis`
 * together, because each group costs a commit.
 *
 * Completes when every answer has been processed. On interruption, cancels outstanding requests and processes the
 * answers that `isQuick` accepts.
 */
export const batchAnswers = <A, B, E>(
  subjects: ReadonlyArray<A>,
  request: (subject: A) => Effect.Effect<B, E>,
  process: (answers: ReadonlyArray<Answer<A, B, E>>) => Effect.Effect<void>,
  isQuick: (exit: Exit.Exit<B, E>) => boolean
): Effect.Effect<void> =>
  Effect.flatMap(FiberSet.makeRuntime<never>(), (run) =>
    Effect.async<void>((resume) => {
      let unprocessed = subjects.length
      let unanswered = subjects.length
      let arrived: Array<Answer<A, B, E>> = []
      let timer: NodeJS.Timeout | undefined
      let isCancelled = false
      const takeArrived = () => {
        clearTimeout(timer)
        const answers = arrived
        arrived = []
        return answers
      }
      const processAll = (answers: ReadonlyArray<Answer<A, B, E>>) => {
        const [slow, quick] = Array.partition(answers, ([, exit]) => isQuick(exit))
        // an interruption waits for these answers, because processing them is quick
        const first = quick.length === 0 ? Effect.void : Effect.uninterruptible(process(quick))
        return slow.length === 0 ? first : Effect.zipRight(first, process(slow))
      }
      const flush = () => {
        const answers = takeArrived()
        run(
          Effect.matchCause(processAll(answers), {
            onFailure: (cause) => resume(Effect.failCause(cause)),
            onSuccess: () => {
              unprocessed -= answers.length
              if (unprocessed === 0) resume(Effect.void)
            }
          })
        )
      }
      const cancels = subjects.map((subject) =>
        Callback.start(request(subject), (exit) => {
          if (isCancelled) return
          const count = arrived.push([subject, exit])
          if (--unanswered === 0) flush()
          else if (count === 1) timer = setTimeout(flush, batchMillis)
        })
      )
      return Effect.suspend(() => {
        isCancelled = true
        for (const cancel of cancels) cancel()
        return process(takeArrived().filter(([, exit]) => isQuick(exit)))
      })
    })
  ).pipe(Effect.scoped)
