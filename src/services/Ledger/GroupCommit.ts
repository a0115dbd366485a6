/** Writes that go to disk together: one commit, which waits for the disk, takes as long as hundreds of writes. */
import { Effect, type Scope } from "effect"
import type { DatabaseSync } from "node:sqlite"
import type { StateUnusable } from "../../domain/Errors.ts"

/** All of it fails for good after its first failure. */
export interface GroupCommit {
  /** Reads, in one transaction, which makes each of its statements three times as fast; sees what was written before. */
  readonly read: <A>(step: () => A) => Effect.Effect<A, StateUnusable>
  /** Writes, in a transaction that is committed a moment later. */
  readonly write: <A>(step: () => A) => Effect.Effect<A, StateUnusable>
  /** Waits until everything written so far is on disk. */
  readonly durable: Effect.Effect<void, StateUnusable>
  /** Puts everything on disk now. */
  readonly flush: Effect.Effect<void, StateUnusable>
}

/** More writes than this are not gathered: committing them would keep the program from anything else for too long. */
const maxWrites = 1000

/** Turns of the event loop for which more writes are awaited, while each of them brings some. */
const maxTurns = 16

export const make = (
  db: DatabaseSync,
  failure: (cause: unknown) => StateUnusable
): Effect.Effect<GroupCommit, never, Scope.Scope> =>
  Effect.gen(function* () {
    let broken: StateUnusable | undefined
    let writes = 0
    let waiting: Array<(end: Effect.Effect<void, StateUnusable>) => void> = []
    let gathering = false

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
      const end = attempt(() => {
        if (writes > 0) db.exec("COMMIT")
      })
      writes = 0
      const done = waiting
      waiting = []
      for (const resume of done) resume(end)
    }

    // files are read and answers arrive in bursts: a turn of the event loop without a write is the end of one
    const gather = () => {
      if (gathering) return
      gathering = true
      let turns = 0
      let before = writes
      const turn = () => {
        if (writes > before && writes < maxWrites && ++turns < maxTurns) {
          before = writes
          setImmediate(turn)
        } else {
          gathering = false
          commit()
        }
      }
      setImmediate(turn)
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
            const seen = step()
            db.exec("COMMIT")
            return seen
          })
        ),
      write: (step) =>
        Effect.suspend(() =>
          attempt(() => {
            if (writes === 0) db.exec("BEGIN")
            writes++
            gather()
            return step()
          })
        ),
      durable: Effect.async((resume) => {
        waiting.push(resume)
        gather()
      }),
      flush
    }
  })
