/** The changelog in Debian's format. Source: deb-changelog(5). */
import { sections } from "../release/Release.ts"

/** The items of the newest section of CHANGELOG.md: the changes in this version. */
const items = (markdown: string): ReadonlyArray<string> =>
  (sections(markdown)[0]?.text ?? "")
    .replaceAll(/^### .*$/gm, "")
    .split(/^- /m)
    .slice(1)
    .map((item) => item.replaceAll(/\s+/g, " ").trim())

/** Wraps text into lines of at most 80 columns, including the indentation. */
const wrap = (text: string, first: string, indent: string): string => {
  const lines = [first]
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? ""
    if (line.length + 1 + word.length <= 80)
      lines[lines.length - 1] = line.endsWith(" ") ? line + word : `${line} ${word}`
    else lines.push(indent + word)
  }
  return lines.join("\n")
}

export interface Release {
  readonly version: string
  readonly maintainer: string
  /** The date of the commit. */
  readonly date: Date
}

export const render = (markdown: string, { date, maintainer, version }: Release): string => {
  const bullets = items(markdown).map((item) => wrap(item, "  * ", "    "))
  // the date has the format of RFC 5322, with a numeric time zone
  const formattedDate = date.toUTCString().replace("GMT", "+0000")
  return `ibsr-export (${version}) unstable; urgency=medium\n\n${bullets.join("\n")}\n\n -- ${maintainer}  ${formattedDate}\n`
}
