import { Array, Effect, type Exit, FiberSet } from "effect"
import * as Callback from "../../fibers/Callback.ts"

/** How the request for one of many has ended. */
export type Answered<A, B, E> = readonly [A, Exit.Exit<B, E>]

/** Milliseconds for which answers are gathered: who is killed in the meantime sends their files again. */
const gathering = 20

/**
 * Begins a request, best a `Call`, for each of many, and hands the answers on, those together that come within
 * `gathering`: each by itself would be a commit of its own. Ends when all are settled. When it is interrupted, the
 * requests are broken off, and of what has arrived by then, that is still settled of which `isLast` says that it is soon
 * done.
 */
export const batchAnswers = <A, B, E>(
  all: ReadonlyArray<A>,
  request: (one: A) => Effect.Effect<B, E>,
  settle: (answered: ReadonlyArray<Answered<A, B, E>>) => Effect.Effect<void>,
  isLast: (exit: Exit.Exit<B, E>) => boolean
): Effect.Effect<void> =>
  Effect.flatMap(FiberSet.makeRuntime<never>(), (run) =>
    Effect.async<void>((resume) => {
      let left = all.length
      let missing = all.length
      let arrived: Array<Answered<A, B, E>> = []
      let timer: NodeJS.Timeout | undefined
      let isBroken = false
      const taken = () => {
        clearTimeout(timer)
        const now = arrived
        arrived = []
        return now
      }
      const settled = (now: ReadonlyArray<Answered<A, B, E>>) => {
        const [others, last] = Array.partition(now, ([, exit]) => isLast(exit))
        // soon done: an interruption waits for it
        const first = last.length === 0 ? Effect.void : Effect.uninterruptible(settle(last))
        return others.length === 0 ? first : Effect.zipRight(first, settle(others))
      }
      const handOn = () => {
        const now = taken()
        run(
          Effect.matchCause(settled(now), {
            onFailure: (cause) => resume(Effect.failCause(cause)),
            onSuccess: () => {
              left -= now.length
              if (left === 0) resume(Effect.void)
            }
          })
        )
      }
      const breakOffs = all.map((one) =>
        Callback.start(request(one), (exit) => {
          if (isBroken) return
          const count = arrived.push([one, exit])
          if (--missing === 0) handOn()
          else if (count === 1) timer = setTimeout(handOn, gathering)
        })
      )
      return Effect.suspend(() => {
        isBroken = true
        for (const breakOff of breakOffs) breakOff()
        return settle(taken().filter(([, exit]) => isLast(exit)))
      })
    })
  ).pipe(Effect.scoped)
