/** A promise that the program has broken in a simulation. */
export class Violation extends Error {
  override readonly name = "Violation"
  /** The hour of the week. */
  hour = 0
}

export const check = (holds: boolean, promise: () => string): void => {
  if (!holds) throw new Violation(promise())
}
