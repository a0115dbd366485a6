/**
 * Text that is safe to show. File names, responses of a store and settings may contain characters that move a terminal's
 * cursor, break a line, or change the direction of the text around them.
 */

/** Control and format characters, line separators, lone surrogates. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

const octal = (char: string) => [...Buffer.from(char)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")

/** Escapes unprintable characters as `ls -b` and the shell's `$'…'` do: as UTF-8 bytes in octal. */
export const escapeControls = (text: string): string => text.replace(unprintable, (char) => short[char] ?? octal(char))

const codeUnits = (text: string) => text.split("").map((unit) => unit.charCodeAt(0))

/** JSON that is safe to show: `JSON.stringify` itself escapes only some of the unprintable characters. */
export const json = (value: unknown): string =>
  JSON.stringify(value).replace(unprintable, (char) =>
    codeUnits(char)
      .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
      .join("")
  )

/** Makes a text a sentence: adds a full stop, and a capital letter unless the text begins with a name or a flag. */
export const sentence = (text: string): string => {
  const capital = /^[a-z]+(?:[ ,;.]|$)/.test(text) ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text
  return /[.!?]$/.test(capital) ? capital : `${capital}.`
}

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`
