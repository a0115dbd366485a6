/**
 * The clock of the simulated host. Time passes only when the program waits. The wall clock may jump; sleeps follow the
 * monotonic clock, as in a real process.
 */
import { Clock, Duration, Effect } from "effect"

/** Calls `onTime` whenever time has passed, so that the collector can write during a run. */
export class HostClock implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  /** Milliseconds since the simulation started. */
  elapsed = 0
  /** The latest time that the wall clock has shown since this was last set, in milliseconds since 1970. */
  latestWall: number
  #wallAtStart: number
  readonly #onTime: (elapsed: number) => void
  readonly #sleepers = new Map<() => void, number>()

  constructor(wall: number, onTime: (elapsed: number) => void) {
    this.#wallAtStart = wall
    this.latestWall = wall
    this.#onTime = onTime
  }

  /** Milliseconds since 1970. */
  get wall(): number {
    return this.#wallAtStart + this.elapsed
  }

  /** Sets the wall clock forward or back. */
  jump(millis: number): void {
    this.#wallAtStart += millis
    this.#show()
  }

  advanceTo(elapsed: number): void {
    this.elapsed = Math.max(this.elapsed, elapsed)
    this.#show()
    this.#onTime(this.elapsed)
    for (const [wake, at] of this.#sleepers) {
      if (at > this.elapsed) continue
      this.#sleepers.delete(wake)
      wake()
    }
  }

  #show(): void {
    this.latestWall = Math.max(this.latestWall, this.wall)
  }

  /** Passes the time until the next sleeper wakes. Returns whether there was one. */
  passSleep(): boolean {
    if (this.#sleepers.size === 0) return false
    this.advanceTo(Math.min(...this.#sleepers.values()))
    return true
  }

  /** Forgets the sleepers of a process that has ended. */
  forget(): void {
    this.#sleepers.clear()
  }

  unsafeCurrentTimeMillis(): number {
    return this.wall
  }
  unsafeCurrentTimeNanos(): bigint {
    return BigInt(Math.round(this.elapsed)) * 1_000_000n
  }
  readonly currentTimeMillis = Effect.sync(() => this.unsafeCurrentTimeMillis())
  readonly currentTimeNanos = Effect.sync(() => this.unsafeCurrentTimeNanos())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.async((resume) => {
      const wake = () => resume(Effect.void)
      this.#sleepers.set(wake, this.elapsed + Math.ceil(Duration.toMillis(duration)))
      return Effect.sync(() => void this.#sleepers.delete(wake))
    })
  }
}
