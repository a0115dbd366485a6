import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck, Fiber, Stream, TestClock } from "effect"
import * as WorkerPool from "../../src/fibers/WorkerPool.ts"

describe("Workers", () => {
  it.effect("keeps its number, and waits for nobody at the end of a chunk", () =>
    Effect.gen(function* () {
      let now = 0
      let most = 0
      let done = 0
      const task = (element: number) =>
        Effect.gen(function* () {
          most = Math.max(most, ++now)
          yield* Effect.sleep(element === 1 ? "9 seconds" : "1 second")
          now--
          done++
        })
      const fiber = yield* Effect.fork(WorkerPool.forEach(Stream.range(1, 40, 5), 4, task))
      yield* TestClock.adjust("8 seconds")
      // one worker has had the slow element all the time, three the others
      expect(done).toBe(24)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(fiber)
      expect({ done, most }).toEqual({ done: 40, most: 4 })
    })
  )

  it.effect("interrupts the others at the first failure, and closes the stream", () =>
    Effect.gen(function* () {
      let interrupted = 0
      let closed = 0
      const source = Stream.ensuring(
        Stream.range(1, 100, 7),
        Effect.sync(() => closed++)
      )
      const task = (element: number) =>
        element === 3 ? Effect.fail("boom") : Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
      expect(yield* Effect.flip(WorkerPool.forEach(source, 4, task))).toBe("boom")
      expect({ closed, interrupted }).toEqual({ closed: 1, interrupted: 3 })
    })
  )

  it.effect("fails with what the stream fails with", () =>
    Effect.gen(function* () {
      const source = Stream.concat(Stream.make(1, 2), Stream.fail("source"))
      expect(yield* Effect.flip(WorkerPool.forEach(source, 2, () => Effect.void))).toBe("source")
    })
  )

  it.effect.prop(
    "takes each element exactly once, however the stream is cut",
    [
      FastCheck.array(FastCheck.array(FastCheck.integer(), { maxLength: 5 }), { maxLength: 20 }),
      FastCheck.integer({ min: 1, max: 9 })
    ],
    ([chunks, count]) =>
      Effect.gen(function* () {
        const got: Array<number> = []
        const source = Stream.flatMap(Stream.fromIterable(chunks), (chunk) => Stream.fromIterable(chunk))
        yield* WorkerPool.forEach(source, count, (element) =>
          Effect.zipRight(
            Effect.yieldNow(),
            Effect.sync(() => got.push(element))
          )
        )
        expect(got.toSorted((a, b) => a - b)).toEqual(chunks.flat().toSorted((a, b) => a - b))
      })
  )
})
