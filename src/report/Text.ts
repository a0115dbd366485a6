/** Escapes control characters in file names, because they must not reach a terminal or break a line. */
export const escapeControls = (text: string): string =>
  text.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1))

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`
