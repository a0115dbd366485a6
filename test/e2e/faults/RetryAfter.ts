/** How long the program waits when the store names a delay. */
import type { CannedAnswer } from "../../../scripts/strict-s3/StrictS3.ts"
import type { FaultCase } from "./FaultCase.ts"

const slowDown = (headers: Record<string, string>): CannedAnswer => ({ status: 503, code: "SlowDown", headers })
const retryAfter = (value: string) => slowDown({ "retry-after": value })
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString()

/** The program's own back-off, at most 400 ms before the first retry, with time for a busy machine. */
const ownBackoff = [0, 1200] as const
const pauses: ReadonlyArray<
  readonly [when: string, answer: () => CannedAnswer, pause: NonNullable<FaultCase["pause"]>]
> = [
  ["Retry-After gives seconds, and waits for them", () => retryAfter("2"), [1990, 4000]],
  // a date contains only whole seconds
  ["Retry-After gives a date, and waits for it", () => retryAfter(inSeconds(3)), [1900, 5000]],
  [
    "x-amz-retry-after gives milliseconds, and waits for them",
    () => slowDown({ "x-amz-retry-after": "1800" }),
    [1790, 4000]
  ],
  ["Retry-After is 0, and waits for its own back-off", () => retryAfter("0"), ownBackoff],
  ["Retry-After is not a time, and waits for its own back-off", () => retryAfter("soon"), ownBackoff],
  ["Retry-After gives a past date, and waits for its own back-off", () => retryAfter(inSeconds(-60)), ownBackoff]
]

const tooLong: ReadonlyArray<readonly [how: string, answer: () => CannedAnswer]> = [
  ["in seconds", () => retryAfter("61")],
  ["as a date", () => retryAfter(inSeconds(3600))],
  ["in milliseconds", () => slowDown({ "x-amz-retry-after": "61000" })],
  [
    "on a maintenance page",
    () => ({ status: 503, headers: { "content-type": "text/html", "retry-after": "3600" }, body: "<p>" })
  ]
]

export const retryAfterCases: ReadonlyArray<FaultCase> = [
  ...pauses.map(([when, answer, pause]): FaultCase => ({
    when,
    fault: (_, nth) => (nth === 0 ? { kind: "answer", ...answer() } : undefined),
    attempts: 2,
    exit: 0,
    pause
  })),
  ...tooLong.map(([how, answer]): FaultCase => ({
    when: `Retry-After gives more than a minute ${how}, and does not retry`,
    fault: () => ({ kind: "answer", ...answer() }),
    attempts: 1,
    exit: 32,
    hint: /next run/
  }))
]
