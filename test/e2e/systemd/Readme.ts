/** Files and commands from the blocks of the README. */
import { readFileSync } from "node:fs"

const text = readFileSync(new URL("../../../README.md", import.meta.url), "utf8")

/** The content of a file. Its block starts with a comment that is the path. */
export const file = (path: string): string => {
  const [, content] = text.split(`\n# ${path}\n`)
  if (content === undefined) throw new Error(`the README has no ${path}`)
  return content.slice(0, content.indexOf("\n```"))
}

/** The commands of the block that starts with a text. */
export const commands = (start: string): ReadonlyArray<string> => {
  const [, rest] = text.split(`\n\`\`\`\n${start}`)
  if (rest === undefined) throw new Error(`the README has no commands that start with ${start}`)
  return `${start}${rest.slice(0, rest.indexOf("\n```"))}`.split("\n")
}
