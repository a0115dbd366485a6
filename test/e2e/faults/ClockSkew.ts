/** Differences between the host's clock and the store's. */
import type { FaultCase, FaultRule } from "./FaultCase.ts"

const hour = 3_600_000

/** Answers RequestTimeTooSkewed with a Date header that is this far ahead of the host's clock. */
const tooSkewed =
  (offsetMillis: number): FaultRule =>
  () => ({
    kind: "answer",
    status: 403,
    code: "RequestTimeTooSkewed",
    headers: { date: new Date(Date.now() + offsetMillis).toUTCString() }
  })

export const clockSkew: ReadonlyArray<FaultCase> = [
  {
    when: "the host's clock is an hour slow",
    store: { clock: () => Date.now() + hour },
    attempts: 2,
    exit: 0
  },
  {
    when: "the host's clock is an hour fast",
    store: { clock: () => Date.now() - hour },
    attempts: 2,
    exit: 0
  },
  {
    when: "the host's clock is ten minutes slow",
    store: { clock: () => Date.now() + hour / 6 },
    attempts: 1,
    exit: 0
  },
  {
    when: "the store also rejects the corrected time",
    fault: tooSkewed(hour),
    attempts: 2,
    exit: 21,
    hint: /clock/,
    output: /\b(1(\.0)? ?h|(59|60)(\.\d)? ?m|3(599|600) ?s)/
  },
  {
    when: "the store rejects the time although its own clock agrees",
    fault: tooSkewed(0),
    attempts: [1, 2],
    exit: 21,
    hint: /clock/
  }
]
