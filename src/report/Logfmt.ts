/** `key=value` pairs on one line, readable for people and machines. Source: brandur.org/logfmt. */

const plain = /^[^\s"=\p{Cc}]+$/u

const valueOf = (value: string | number | boolean) => {
  const text = String(value)
  return plain.test(text) ? text : JSON.stringify(text)
}

export const line = (fields: Readonly<Record<string, string | number | boolean>>): string =>
  Object.entries(fields)
    .map(([key, value]) => `${key}=${valueOf(value)}`)
    .join(" ")
