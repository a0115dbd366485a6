/** Text for people. */

/** Names come from a file system: a control character in one must not reach a terminal or start a line of its own. */
export const escapeControls = (text: string): string =>
  text.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1))

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`
