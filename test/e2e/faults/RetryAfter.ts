/** How long the program waits, and whose clock is right. */
import type { CannedAnswer } from "../../fakes/StrictS3.ts"
import type { FaultCase, FaultRule } from "./FaultCase.ts"

const busy = (headers: Record<string, string>): CannedAnswer => ({ status: 503, code: "SlowDown", headers })
const retryAfter = (value: string) => busy({ "retry-after": value })
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString()

/** No pause but the program's own, which is at most 400 ms for the first retry. */
const own = [0, 1200] as const
const pauses: ReadonlyArray<
  readonly [name: string, answer: () => CannedAnswer, pause: NonNullable<FaultCase["pause"]>]
> = [
  ["seconds", () => retryAfter("2"), [1990, 4000]],
  // a date has whole seconds
  ["a date", () => retryAfter(inSeconds(3)), [1900, 5000]],
  ["milliseconds, as AWS has them", () => busy({ "x-amz-retry-after": "1800" }), [1790, 4000]],
  ["no time at all", () => retryAfter("0"), own],
  ["what is no time", () => retryAfter("soon"), own],
  ["a date that is over", () => retryAfter(inSeconds(-60)), own]
]

const tooLong: ReadonlyArray<readonly [name: string, answer: () => CannedAnswer]> = [
  ["seconds", () => retryAfter("61")],
  ["a date", () => retryAfter(inSeconds(3600))],
  ["milliseconds", () => busy({ "x-amz-retry-after": "61000" })],
  [
    "a page of maintenance",
    () => ({ status: 503, headers: { "content-type": "text/html", "retry-after": "3600" }, body: "<p>" })
  ]
]

const hour = 3_600_000

const tooSkewed =
  (offsetMillis: number): FaultRule =>
  () => ({
    kind: "answer",
    status: 403,
    code: "RequestTimeTooSkewed",
    headers: { date: new Date(Date.now() + offsetMillis).toUTCString() }
  })

export const patience: ReadonlyArray<FaultCase> = [
  ...pauses.map(([name, answer, pause]): FaultCase => ({
    name: `a store that wants to be left alone for ${name}`,
    strike: (_, nth) => (nth === 0 ? { kind: "answer", ...answer() } : undefined),
    attempts: 2,
    exit: 0,
    pause
  })),
  ...tooLong.map(([name, answer]): FaultCase => ({
    name: `a store that wants to be left alone for more than a minute, in ${name}`,
    strike: () => ({ kind: "answer", ...answer() }),
    attempts: 1,
    exit: 32,
    hint: /next run/
  })),
  {
    name: "a clock that is an hour slow",
    store: { clock: () => Date.now() + hour },
    attempts: 2,
    exit: 0
  },
  {
    name: "a clock that is an hour fast",
    store: { clock: () => Date.now() - hour },
    attempts: 2,
    exit: 0
  },
  { name: "a clock that is ten minutes slow", store: { clock: () => Date.now() + hour / 6 }, attempts: 1, exit: 0 },
  {
    name: "a clock that is an hour slow whatever is done",
    strike: tooSkewed(hour),
    attempts: 2,
    exit: 21,
    hint: /clock/,
    says: /\b(1(\.0)? ?h|(59|60)(\.\d)? ?m|3(599|600) ?s)/
  },
  {
    name: "a clock that is wrong though the store's says the same",
    strike: tooSkewed(0),
    attempts: [1, 2],
    exit: 21,
    hint: /clock/
  }
]
