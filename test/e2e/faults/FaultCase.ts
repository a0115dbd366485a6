import type { Fault, Identity, RecordedRequest, StrictS3Options } from "../../fakes/StrictS3.ts"
import type { FakeEndpoint } from "./FakeEndpoints.ts"

/** What is done to the nth request of its operation, counted from 0. */
export type FaultRule = (request: RecordedRequest, nth: number) => Fault | undefined

export const always =
  (fault: Fault): FaultRule =>
  () =>
    fault

export const once =
  (fault: Fault): FaultRule =>
  (_, nth) =>
    nth === 0 ? fault : undefined

/** Only requests of this operation. */
export const onOperation =
  (operation: string, strike: FaultRule): FaultRule =>
  (request, nth) =>
    request.operation === operation ? strike(request, nth) : undefined

/** One way in which an upload can fail, and what has to come of it. The program has `--max-retries 2`. */
export interface FaultCase {
  readonly name: string

  /** One file: of a few bytes; larger than what is sent without asking; or sent in two parts. Default: small. */
  readonly file?: "small" | "large" | "parts" | undefined
  readonly strike?: FaultRule
  /** Where the program is sent, if not to a strict store. */
  readonly place?: () => Promise<FakeEndpoint>
  readonly store?: StrictS3Options
  /** Default: may write, and abort uploads. */
  readonly login?: Identity
  readonly flags?: ReadonlyArray<string>
  /** For rows that wait for it. Default: longer than any row takes. */
  readonly timeout?: string

  readonly exit: number
  /** Requests that arrived, or how many at least and at most; if sent in parts, by operation. */
  readonly attempts: number | readonly [atLeast: number, atMost: number] | Readonly<Record<string, number>>
  /** What the report advises. */
  readonly hint?: RegExp | undefined
  /** Anything that stands on stdout or stderr. */
  readonly says?: RegExp
  /** Milliseconds from the end of the first attempt to the second, at least and at most. */
  readonly pause?: readonly [atLeast: number, atMost: number]
  /** How often the object was stored. Default: once if the program says so, else never. */
  readonly versions?: number
  /** Multipart uploads that are left open. Default: none. */
  readonly open?: number
}
