/** Parses and formats sizes in bytes. */
import { Either } from "effect"

const units: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1024,
  kib: 1024,
  kb: 1000,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  mb: 1000 ** 2,
  g: 1024 ** 3,
  gib: 1024 ** 3,
  gb: 1000 ** 3
}

/** Parses `8388608`, `8MiB`, `8M` (powers of 1024) or `8MB` (powers of 1000). */
export const parse = (text: string): Either.Either<number, string> => {
  const [, digits, unit] = /^(\d{1,15})\s?([a-z]*)$/i.exec(text) ?? []
  const factor = unit === undefined ? undefined : units[unit.toLowerCase()]
  const bytes = Number(digits) * (factor ?? Number.NaN)
  return Number.isSafeInteger(bytes) ? Either.right(bytes) : Either.left("a size such as 8MiB, 64M or 500KB")
}

/** For example `1.2 MB`. Powers of 1000, because networks and object stores bill that way. */
export const format = (bytes: number): string => {
  const names = ["B", "kB", "MB", "GB", "TB", "PB"]
  let value = bytes
  let power = 0
  // 999.95 would be shown as 1000.0
  while (value >= 999.95 && power < names.length - 1) {
    value /= 1000
    power++
  }
  return `${power === 0 ? value : value.toFixed(1)} ${names[power]}`
}
