/** `key=value` pairs on one line, readable for people and machines. Source: brandur.org/logfmt. */
import { json } from "./Text.ts"

const plain = /^[^\s"=\p{Cc}\p{Cf}\p{Cs}]+$/u

const valueOf = (value: string | number | boolean) => {
  const text = String(value)
  return plain.test(text) ? text : json(text)
}

export const line = (fields: Readonly<Record<string, string | number | boolean>>): string =>
  Object.entries(fields)
    .map(([key, value]) => `${key}=${valueOf(value)}`)
    .join(" ")
