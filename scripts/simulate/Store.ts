/** The store of the simulation: a store in memory that fails as `Weather` decides. One process at a time uses it. */
import { Duration, Effect } from "effect"
import { CredentialsMissing, IntegrityFailure, type StoreError } from "../../src/domain/Errors.ts"
import type { HostClock } from "./HostClock.ts"
import type { Process } from "./Host.ts"
import * as MemoryStore from "./MemoryStore.ts"
import type { Truth } from "./Truth.ts"
import type { Trouble, Weather } from "./Weather.ts"

/** The responses that a process has received. */
export interface Exchange {
  readonly process: Process
  /** Successes of requests that created an object. */
  acknowledged: number
  /** Classes of the failures. */
  readonly failures: Set<StoreError["_tag"]>
  /** Whether a request that stored an object failed nevertheless. */
  isDoubtful: boolean
}

/** not `Effect.never`, which sets a timer that the simulation would wait for */
const silence = Effect.async<never>(() => {})

/** A killed process gets no response. This error ends the rest of its run. */
const dead = new CredentialsMissing({ detail: "the process was killed" })

export const make = (noOverwrite: boolean, clock: HostClock, weather: Weather, truth: Truth) => {
  let exchange: Exchange
  let spoilt: string | undefined

  const meet = (trouble: Trouble | undefined): Effect.Effect<void, StoreError> => {
    if (exchange.process.isKilled) return Effect.fail(dead)
    if (trouble === undefined) return Effect.void
    exchange.failures.add(trouble === "silence" ? "NetworkFailure" : trouble._tag)
    return trouble === "silence" ? silence : Effect.fail(trouble)
  }

  const store: MemoryStore.MemoryStore = MemoryStore.make({
    noOverwrite,
    before: (operation) =>
      Effect.suspend(() => {
        exchange.process.steps.next()
        if (exchange.process.isKilled) return meet(undefined)
        const latency = weather.latencyMillis()
        // the latency may exceed --timeout
        if (latency > 0) exchange.failures.add("NetworkFailure")
        const met = Effect.suspend(() => meet(weather.before(operation)))
        return latency === 0 ? met : Effect.zipRight(clock.sleep(Duration.millis(latency)), met)
      }),
    alter: (key, body) => {
      spoilt = weather.strikes("corruption", 0.02) && body.length > 0 ? key : undefined
      if (spoilt === undefined) return body
      const other = Buffer.from(body)
      other[0]! ^= 1
      return other
    },
    after: (key, operation) =>
      Effect.suspend(() => {
        const isSpoilt = spoilt === key
        // not a manifest, and not the marker of --no-overwrite
        const isOfFile = key.endsWith(".jsonl")
        if (isOfFile && isSpoilt) truth.onSpoilt(key)
        if (isOfFile && !isSpoilt)
          truth.onStored(key, String(store.versions.get(key)!.at(-1)), store.states.get(key)!, clock.latestWall)
        exchange.process.steps.next()
        const mismatch = new IntegrityFailure({ operation, detail: "the checksum differs", retryable: !noOverwrite })
        const trouble = isSpoilt ? mismatch : weather.after(operation)
        if (trouble !== undefined || exchange.process.isKilled) {
          exchange.isDoubtful = true
          return meet(trouble)
        }
        if (isOfFile) {
          exchange.acknowledged++
          truth.onAcknowledged(key)
        }
        return Effect.void
      })
  })

  return {
    ...store,
    /** Sets the process that sends the next requests. */
    meets: (process: Process): Exchange => {
      clock.latestWall = clock.wall
      return (exchange = { process, acknowledged: 0, failures: new Set(), isDoubtful: false })
    }
  }
}

export type Store = ReturnType<typeof make>
