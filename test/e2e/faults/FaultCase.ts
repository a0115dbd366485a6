import type { Fault, Identity, RecordedRequest, StrictS3Options } from "../../../scripts/strict-s3/StrictS3.ts"
import type { FakeEndpoint } from "./FakeEndpoints.ts"

/** Chooses the fault for the nth request of its operation, counted from 0. */
export type FaultRule = (request: RecordedRequest, nth: number) => Fault | undefined

export const always =
  (fault: Fault): FaultRule =>
  () =>
    fault

export const once =
  (fault: Fault): FaultRule =>
  (_, nth) =>
    nth === 0 ? fault : undefined

/** Applies a rule to the requests of one operation. */
export const onOperation =
  (operation: string, rule: FaultRule): FaultRule =>
  (request, nth) =>
    request.operation === operation ? rule(request, nth) : undefined

/** Applies the first rule that chooses a fault. */
export const firstOf =
  (...rules: ReadonlyArray<FaultRule>): FaultRule =>
  (request, nth) => {
    for (const rule of rules) {
      const fault = rule(request, nth)
      if (fault !== undefined) return fault
    }
    return undefined
  }

/** One way in which an upload can fail, and the required outcome with `--max-retries 2`. */
export interface FaultCase {
  /** Completes the title "exits N when …". */
  readonly when: string

  /** The only file of the input: a few bytes, 3 MiB in one request, or two parts. Default: small. */
  readonly file?: "small" | "large" | "parts" | undefined
  readonly fault?: FaultRule
  /** Replaces the strict store. */
  readonly endpoint?: () => Promise<FakeEndpoint>
  readonly store?: StrictS3Options
  /** Default: may write objects and abort uploads. */
  readonly identity?: Identity
  readonly flags?: ReadonlyArray<string>
  /** The value of `--timeout`. Default: longer than any case takes. */
  readonly timeout?: string

  readonly exit: number
  /** The number of requests that arrive, its inclusive range, or the number for each operation. */
  readonly attempts: number | readonly [atLeast: number, atMost: number] | Readonly<Record<string, number>>
  /** Matches the hint in the report. */
  readonly hint?: RegExp | undefined
  /** Matches stdout or stderr. */
  readonly output?: RegExp
  /** Milliseconds from the end of the first attempt to the start of the second, an inclusive range. */
  readonly pause?: readonly [atLeast: number, atMost: number]
  /** How often the store stores the object. Default: once if the run succeeds, else never. */
  readonly versions?: number
  /** Multipart uploads that stay open. Default: 0. */
  readonly openUploads?: number
}
