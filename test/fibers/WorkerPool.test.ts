import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck, Fiber, Stream, TestClock } from "effect"
import * as WorkerPool from "../../src/fibers/WorkerPool.ts"

describe("WorkerPool", () => {
  it.effect("runs as many tasks as it has workers, even across chunks", () =>
    Effect.gen(function* () {
      let running = 0
      let maxRunning = 0
      let done = 0
      const task = (element: number) =>
        Effect.gen(function* () {
          maxRunning = Math.max(maxRunning, ++running)
          yield* Effect.sleep(element === 1 ? "9 seconds" : "1 second")
          running--
          done++
        })
      const fiber = yield* Effect.fork(WorkerPool.forEach(Stream.range(1, 40, 5), 4, task))
      yield* TestClock.adjust("8 seconds")
      // one worker still has the slow element, and the other three have processed the rest
      expect(done).toBe(24)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(fiber)
      expect({ done, maxRunning }).toEqual({ done: 40, maxRunning: 4 })
    })
  )

  it.effect("interrupts the other workers after the first failure, and closes the stream", () =>
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

  it.effect("fails with its stream's error", () =>
    Effect.gen(function* () {
      const source = Stream.concat(Stream.make(1, 2), Stream.fail("source"))
      expect(yield* Effect.flip(WorkerPool.forEach(source, 2, () => Effect.void))).toBe("source")
    })
  )

  it.effect.prop(
    "processes each element exactly once, for any division into chunks",
    [
      FastCheck.array(FastCheck.array(FastCheck.integer(), { maxLength: 5 }), { maxLength: 20 }),
      FastCheck.integer({ min: 1, max: 9 })
    ],
    ([chunks, count]) =>
      Effect.gen(function* () {
        const processed: Array<number> = []
        const source = Stream.flatMap(Stream.fromIterable(chunks), (chunk) => Stream.fromIterable(chunk))
        yield* WorkerPool.forEach(source, count, (element) =>
          Effect.zipRight(
            Effect.yieldNow(),
            Effect.sync(() => processed.push(element))
          )
        )
        expect(processed.toSorted((a, b) => a - b)).toEqual(chunks.flat().toSorted((a, b) => a - b))
      })
  )
})
