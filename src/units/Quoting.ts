/** Quotes words for systemd. Sources: systemd.syntax(7), "Quoting"; systemd.service(5), "Command lines". */

const plain = /^[\w@%+=:,./-]+$/
const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t" }

const hex = (character: string) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`

const quoted = (text: string) =>
  plain.test(text) ? text : `"${text.replaceAll(/[\\"\p{Cc}]/gu, (character) => escapes[character] ?? hex(character))}"`

/** Quotes a path or another word of a setting, where `%` starts a specifier. */
export const word = (text: string): string => quoted(text.replaceAll("%", "%%"))

/** Quotes an argument of a command line, where `$` starts a variable and `%` a specifier. */
export const argument = (text: string): string => quoted(text.replaceAll("%", "%%").replaceAll("$", "$$$$"))
