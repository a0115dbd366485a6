/** Writes the published JSON schemas in `docs/`. A test compares them with the code. */
import { JSONSchema, type Schema } from "effect"
import { writeFileSync } from "node:fs"
import * as Manifest from "../src/report/Manifest.ts"
import * as Verification from "../src/report/Verification.ts"

const schemas: Readonly<Record<string, Schema.Schema.Any>> = {
  manifest: Manifest.Manifest,
  verify: Verification.Verification
}

for (const [name, schema] of Object.entries(schemas)) {
  const text = JSON.stringify(JSONSchema.make(schema, { target: "jsonSchema2020-12" }), null, 2)
  writeFileSync(new URL(`../docs/${name}.schema.json`, import.meta.url), `${text}\n`)
}
