/** Differences between the host's clock and the store's. */
import { always, type FaultCase, type FaultRule, once } from "./FaultCase.ts"

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

/** An answer that does not refuse the signature, with the Date of a proxy. */
const datedOverload = (date: string): FaultRule =>
  once({ kind: "answer", status: 503, code: "SlowDown", headers: { date } })

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
    when: "a retried answer has a Date that is an hour ahead",
    fault: datedOverload(new Date(Date.now() + hour).toUTCString()),
    attempts: 2,
    exit: 0
  },
  {
    when: "a retried answer has a Date that no signature can contain",
    fault: datedOverload("Fri, 31 Dec 275000 23:59:59 GMT"),
    attempts: 2,
    exit: 0
  },
  {
    when: "the store rejects the time with a Date that no signature can contain",
    fault: always({
      kind: "answer",
      status: 403,
      code: "RequestTimeTooSkewed",
      headers: { date: "Fri, 31 Dec 275000 23:59:59 GMT" }
    }),
    attempts: 1,
    exit: 21,
    hint: /clock/
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
