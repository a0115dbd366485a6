/** The history as Debian's tools read it. Source: deb-changelog(5). */

/** A paragraph for each point of the newest section of CHANGELOG.md, which is what a package of this version brings. */
const points = (markdown: string): ReadonlyArray<string> => {
  const [, newest = ""] = markdown.split(/^## .*$/m)
  return newest
    .replaceAll(/^### .*$/gm, "")
    .split(/^- /m)
    .slice(1)
    .map((point) => point.replaceAll(/\s+/g, " ").trim())
}

/** Lines of at most 80 columns with all before them. */
const wrapped = (text: string, first: string, indent: string): string => {
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
  /** Of the sources. */
  readonly date: Date
}

export const render = (markdown: string, { date, maintainer, version }: Release): string => {
  const bullets = points(markdown).map((point) => wrapped(point, "  * ", "    "))
  // as RFC 5322 has it, with a zone in digits
  const when = date.toUTCString().replace("GMT", "+0000")
  return `ibsr-export (${version}) unstable; urgency=medium\n\n${bullets.join("\n")}\n\n -- ${maintainer}  ${when}\n`
}
