/** How long ago a time is, in its largest unit: `12 min ago`. */

const units = [
  { millis: 86_400_000, name: "d" },
  { millis: 3_600_000, name: "h" },
  { millis: 60_000, name: "min" },
  { millis: 1000, name: "s" }
] as const

/** A unit is used from this count on. A day and a half is thus 36 h, and a minute and a half is 90 s. */
const leastCount = 2

/** `time` is ISO 8601; `now` is in milliseconds since 1970. A time in the future gives `in 12 min`. */
export const of = (time: string, now: number): string => {
  const millis = now - Date.parse(time)
  const size = Math.abs(millis)
  const { millis: unit, name } = units.find((each) => size >= leastCount * each.millis) ?? units.at(-1)!
  const text = `${Math.floor(size / unit)} ${name}`
  return millis < 0 ? `in ${text}` : `${text} ago`
}
