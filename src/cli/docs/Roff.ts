/** Source text for roff with the macros of man(7), safe for every locale. */

/** Characters that roff would read as a command or replace by a typographic sign. Source of names: groff_char(7). */
const characters: Readonly<Record<string, string>> = {
  "\\": "\\(rs",
  "-": "\\-",
  "'": "\\(aq",
  '"': "\\(dq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti"
}

const unicode = (character: string) => `\\[u${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`

/** Text on one line of the source. */
export const text = (plain: string): string =>
  plain
    .replaceAll(/[\\'"`^~-]|[^\0-\u007F]/gu, (character) => characters[character] ?? unicode(character))
    .replace(/^\./, "\\&.")

export const bold = (plain: string): string => `\\fB${text(plain)}\\fR`
export const italic = (plain: string): string => `\\fI${text(plain)}\\fR`

export const section = (heading: string): string => `.SH "${text(heading)}"`
export const subsection = (heading: string): string => `.SS "${text(heading)}"`

/** A paragraph; the arguments are lines of roff source. */
export const paragraph = (...lines: ReadonlyArray<string>): string => [".PP", ...lines].join("\n")

/** A term, with its meaning indented below it. */
export const item = (term: string, ...lines: ReadonlyArray<string>): string => [".TP", term, ...lines].join("\n")

/** Verbatim lines, such as shell commands. */
export const listing = (lines: ReadonlyArray<string>): string => [".PP", ".nf", ...lines.map(text), ".fi"].join("\n")
