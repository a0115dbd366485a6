/** Parses and formats durations. */
import { Duration, Either } from "effect"

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

const shape = /^(?:\d{1,9}(?:ms|[smhd]))+$/
const term = /(\d+)(ms|[smhd])/g

/** Node's timers are limited to 24 days, and nobody wants to wait that long. */
const longest = Duration.days(7)

/** Parses `500ms`, `90s`, `5m` or `1h30m`. A unit is required, because a bare number could mean any of them. */
export const parse = (text: string): Either.Either<Duration.Duration, string> => {
  if (!shape.test(text)) return Either.left("a duration such as 500ms, 90s, 5m or 1h30m")
  const millis = [...text.matchAll(term)].reduce(
    (sum, [, digits, unit]) => sum + Number(digits) * units[unit as keyof typeof units],
    0
  )
  return Either.filterOrLeft(
    Either.right(Duration.millis(millis)),
    (duration) => Duration.lessThanOrEqualTo(duration, longest),
    () => "a duration of up to 7d"
  )
}

/** Like `parse`, but refuses zero. */
export const positive = (text: string): Either.Either<Duration.Duration, string> =>
  Either.filterOrLeft(
    parse(text),
    (duration) => Duration.greaterThan(duration, Duration.zero),
    () => "a duration above zero"
  )

/** For example `0.8 s`, `2 min 5 s`, `1 h 4 min`. */
export const format = (duration: Duration.Duration): string => {
  const seconds = Duration.toSeconds(duration)
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  return whole < 3600
    ? `${Math.floor(whole / 60)} min ${whole % 60} s`
    : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}
