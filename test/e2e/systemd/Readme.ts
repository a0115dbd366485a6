/** What the README tells people to write on their hosts, as it stands there. */
import { readFileSync } from "node:fs"

const text = readFileSync(new URL("../../../README.md", import.meta.url), "utf8")

/** The file that a block shows, whose first line is a comment with its path. */
export const file = (path: string): string => {
  const [, content] = text.split(`\n# ${path}\n`)
  if (content === undefined) throw new Error(`the README has no ${path}`)
  return content.slice(0, content.indexOf("\n```"))
}

/** The commands of the block that begins so. */
export const commands = (beginning: string): ReadonlyArray<string> => {
  const [, rest] = text.split(`\n\`\`\`\n${beginning}`)
  if (rest === undefined) throw new Error(`the README has no commands that begin with ${beginning}`)
  return `${beginning}${rest.slice(0, rest.indexOf("\n```"))}`.split("\n")
}
