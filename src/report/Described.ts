/** Parts of the schemas of what is printed as JSON. */
import { Schema } from "effect"

export const Count = Schema.NonNegativeInt

export const described = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.annotations(schema, { description })

/** What does not apply is `null`. */
export const optional = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.NullOr(schema).annotations({ description })
