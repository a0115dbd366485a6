/**
 * The time in signatures is this host's time. After a refusal for clock skew, it is corrected to the store's time.
 *
 * Nothing else corrects it. A proxy or a cache may send a wrong `Date`, which must not replace a clock that the store
 * accepts.
 */
import type { S3Client } from "@aws-sdk/client-s3"

export interface StoreClock {
  /** Milliseconds to add to this host's time. */
  readonly correction: () => number
  /** How far the latest `Date` of a response was ahead of this host's clock, in milliseconds. */
  readonly observed: () => number
  readonly observe: (headers: Readonly<Record<string, string>>) => void
  /** Call it when the store accepted a signature with this correction. */
  readonly accept: (used: number) => void
  /**
   * Call it when the store refused a signature with this correction and reported its own time. Returns whether another
   * attempt may succeed. Drops the correction if the store has never accepted a signature with it.
   */
  readonly refuse: (used: number, storeTime: number | undefined) => boolean
}

/** In milliseconds. A smaller change would not turn a refusal into a success. */
const minChange = 60_000

export const make = (): StoreClock => {
  let correction = 0
  let isAccepted = false
  /** Whether the store has refused a signature with the time that it had itself reported. */
  let isRefuted = false
  let observed = 0
  return {
    correction: () => correction,
    observed: () => observed,
    observe: ({ age, date }) => {
      const time = age === undefined ? timeOf(date) : undefined
      if (time !== undefined) observed = time - Date.now()
    },
    accept: (used) => {
      if (used !== correction) return
      isAccepted = true
      isRefuted = false
    },
    refuse: (used, storeTime) => {
      // another request has changed the correction in the meantime
      if (used !== correction) return true
      if (used !== 0 && !isAccepted) {
        correction = 0
        isRefuted = true
        return false
      }
      const next = storeTime === undefined ? used : storeTime - Date.now()
      if (isRefuted || Math.abs(next - used) <= minChange) return false
      correction = next
      isAccepted = false
      return true
    }
  }
}

/** Makes this the clock of the SDK's client, which would otherwise adopt the `Date` of every response. */
export const use = (client: S3Client, clock: StoreClock): void => {
  Object.defineProperty(client.config, "systemClockOffset", { get: clock.correction, set: () => {} })
}

/**
 * Parses a time to milliseconds since 1970. Refuses a year with more than four digits, for which a signature has no
 * room.
 */
export const timeOf = (text: string | undefined): number | undefined => {
  const time = text === undefined ? Number.NaN : Date.parse(text)
  return time >= 0 && time < maxTime ? time : undefined
}

const maxTime = Date.UTC(10_000)
