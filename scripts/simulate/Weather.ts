/** The failures of the store, from hour to hour and from request to request. */
import { Duration } from "effect"
import {
  AccessDenied,
  BucketUnusable,
  CredentialsMissing,
  CredentialsRejected,
  IntegrityFailure,
  NetworkFailure,
  type StoreError,
  StoreUnavailable,
  TlsFailure,
  UploadFailed
} from "../../src/domain/Errors.ts"
import type { Random } from "./Random.ts"
import { type Fault, randomFor, type Scenario } from "./Scenario.ts"

/** A failure, or silence, in which case the store never responds. */
export type Trouble = StoreError | "silence"

const answer = (operation: string, code: string, status?: number) => ({
  operation,
  code,
  detail: "the simulated store says so",
  retryable: false,
  ...(status === undefined ? {} : { status })
})

const retryable = { retryable: true } as const
const overload = { retryable: true, overload: true } as const

type Make = (operation: string, random: Random) => StoreError

const temporary: ReadonlyArray<Make> = [
  (operation) => new StoreUnavailable({ ...answer(operation, "SlowDown", 503), ...overload }),
  (operation) => new StoreUnavailable({ ...answer(operation, "InternalError", 500), ...retryable }),
  (operation, random) =>
    new StoreUnavailable({
      ...answer(operation, "TooManyRequests", 429),
      ...overload,
      retryAfter: Duration.seconds(random.below(90))
    }),
  (operation) => new NetworkFailure({ ...answer(operation, "ECONNRESET"), ...retryable }),
  (operation) => new NetworkFailure({ ...answer(operation, "RequestTimeout", 400), ...overload }),
  (operation) => new IntegrityFailure({ ...answer(operation, "BadDigest", 400), ...retryable }),
  (operation) => new UploadFailed({ ...answer(operation, "OperationAborted", 409), ...retryable })
]

const refusals: ReadonlyArray<Make> = [
  (operation) => new UploadFailed(answer(operation, "InvalidRequest", 400)),
  (operation) => new AccessDenied(answer(operation, "AccessDenied", 403))
]

const lasting: ReadonlyArray<Make> = [
  (operation) => new NetworkFailure({ ...answer(operation, "ECONNREFUSED"), ...retryable }),
  (operation) => new StoreUnavailable({ ...answer(operation, "ServiceUnavailable", 503), ...overload }),
  (operation) => new AccessDenied(answer(operation, "AccessDenied", 403)),
  (operation) => new CredentialsRejected(answer(operation, "ExpiredToken", 400)),
  (operation) => new CredentialsRejected(answer(operation, "RequestTimeTooSkewed", 403)),
  () => new CredentialsMissing({ detail: "the simulated host has none" }),
  (operation) => new BucketUnusable(answer(operation, "NoSuchBucket", 404)),
  (operation) => new TlsFailure(answer(operation, "CERT_HAS_EXPIRED"))
]

/** The faults that can affect the response after the object was stored. */
const lost: ReadonlyArray<Make> = [
  (operation) => new NetworkFailure({ ...answer(operation, "ECONNRESET"), ...retryable }),
  (operation) => new StoreUnavailable({ ...answer(operation, "InternalError", 500), ...retryable })
]

export class Weather {
  readonly #scenario: Scenario
  readonly #randoms = new Map<Fault, Random>()
  #isOver = false
  #outage: { hoursLeft: number; readonly kind: Make | "silence" } | undefined

  constructor(scenario: Scenario) {
    this.#scenario = scenario
  }

  /** From now on, nothing fails. */
  end(): void {
    this.#isOver = true
    this.#outage = undefined
  }

  /** Decides whether the fault happens now. */
  strikes(fault: Fault, probability: number): boolean {
    return !this.#isOver && this.#scenario.faults.has(fault) && this.random(fault).chance(probability)
  }

  random(fault: Fault): Random {
    const known = this.#randoms.get(fault)
    if (known !== undefined) return known
    const random = randomFor(this.#scenario.seed, fault)
    this.#randoms.set(fault, random)
    return random
  }

  /** Call it every hour. The store may go down for 1 to 12 hours, rarely for 40. */
  nextHour(): void {
    if (this.#outage !== undefined && --this.#outage.hoursLeft <= 0) this.#outage = undefined
    if (this.#outage !== undefined || !this.strikes("outages", 0.03)) return
    const random = this.random("outages")
    const hoursLeft = random.chance(0.1) ? 40 : 1 + random.below(12)
    this.#outage = { hoursLeft, kind: lasting[random.below(lasting.length + 1)] ?? "silence" }
  }

  /** Returns the fault that stops a request before the store acts on it, if any. */
  before(operation: string): Trouble | undefined {
    const one = (fault: Fault, kinds: ReadonlyArray<Make>) => {
      const random = this.random(fault)
      return kinds[random.below(kinds.length)]!(operation, random)
    }
    if (this.#outage !== undefined)
      return this.#outage.kind === "silence" ? "silence" : this.#outage.kind(operation, this.random("outages"))
    if (this.strikes("silence", 0.01)) return "silence"
    if (this.strikes("errors", 0.1)) return one("errors", temporary)
    return this.strikes("refusals", 0.02) ? one("refusals", refusals) : undefined
  }

  /** Returns the fault that affects the response after the store has acted, if any. */
  after(operation: string): Trouble | undefined {
    if (!this.strikes("lost-answers", 0.08)) return undefined
    const random = this.random("lost-answers")
    return lost[random.below(lost.length + 1)]?.(operation, random) ?? "silence"
  }

  /** How long a request takes. */
  latencyMillis(): number {
    return this.strikes("latency", 0.1) ? this.random("latency").below(50_000) : 0
  }
}
