/** Commits writes in groups, because a commit waits for the disk, which takes as long as hundreds of writes. */
import { Effect, type Scope } from "effect"
import type { DatabaseSync } from "node:sqlite"
import type { StateUnusable } from "../../domain/Errors.ts"

/** After the first failure, every operation fails with the same error. */
export interface GroupCommit {
  /** Reads in one transaction, which makes a statement three times as fast. Sees every earlier write. */
  readonly read: <A>(step: () => A) => Effect.Effect<A, StateUnusable>
  /** Writes in a transaction that is committed a moment later. */
  readonly write: <A>(step: () => A) => Effect.Effect<A, StateUnusable>
  /** Waits until every earlier write is on disk. */
  readonly durable: Effect.Effect<void, StateUnusable>
  /** Commits every earlier write now. */
  readonly flush: Effect.Effect<void, StateUnusable>
}

/** Maximum writes per group: a larger commit would block the event loop for too long. */
const maxWrites = 1000

/** Maximum event-loop iterations before a commit. A group commits sooner, after the first iteration without a write. */
const maxIterations = 16

export const make = (
  db: DatabaseSync,
  failure: (cause: unknown) => StateUnusable
): Effect.Effect<GroupCommit, never, Scope.Scope> =>
  Effect.gen(function* () {
    let broken: StateUnusable | undefined
    let writes = 0
    let waiting: Array<(result: Effect.Effect<void, StateUnusable>) => void> = []
    let isScheduled = false

    const attempt = <A>(step: () => A): Effect.Effect<A, StateUnusable> => {
      if (broken !== undefined) return Effect.fail(broken)
      try {
        return Effect.succeed(step())
      } catch (cause) {
        broken = failure(cause)
        return Effect.fail(broken)
      }
    }

    const commit = () => {
      const result = attempt(() => {
        if (writes > 0) db.exec("COMMIT")
      })
      writes = 0
      const resumed = waiting
      waiting = []
      for (const resume of resumed) resume(result)
    }

    // writes come in bursts, because files are read in batches and responses arrive together: an event-loop iteration
    // without a write ends a burst
    const scheduleCommit = () => {
      if (isScheduled) return
      isScheduled = true
      let iterations = 0
      let seenWrites = writes
      const iterate = () => {
        if (writes > seenWrites && writes < maxWrites && ++iterations < maxIterations) {
          seenWrites = writes
          setImmediate(iterate)
        } else {
          isScheduled = false
          commit()
        }
      }
      setImmediate(iterate)
    }

    const flush = Effect.async<void, StateUnusable>((resume) => {
      waiting.push(resume)
      commit()
    })
    yield* Effect.addFinalizer(() => Effect.ignore(flush))
    return {
      read: (step) =>
        Effect.suspend(() =>
          attempt(() => {
            if (writes > 0) return step()
            db.exec("BEGIN")
            const result = step()
            db.exec("COMMIT")
            return result
          })
        ),
      write: (step) =>
        Effect.suspend(() =>
          attempt(() => {
            if (writes === 0) db.exec("BEGIN")
            writes++
            scheduleCommit()
            return step()
          })
        ),
      durable: Effect.async((resume) => {
        waiting.push(resume)
        scheduleCommit()
      }),
      flush
    }
  })
