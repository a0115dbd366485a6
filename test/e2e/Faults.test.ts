/** Every way in which an upload is known to fail: what the built program tries, how it ends, and what it advises. */
import { describe, expect, it } from "vitest"
import { broken, harmless } from "./faults/Breaks.ts"
import { dialects } from "./faults/Dialects.ts"
import { elsewhere } from "./faults/Elsewhere.ts"
import { multipart } from "./faults/Multipart.ts"
import { passing } from "./faults/Passing.ts"
import { patience } from "./faults/Patience.ts"
import { judge, leaks, play } from "./faults/Play.ts"
import { refusals } from "./faults/Refusals.ts"
import type { Row } from "./faults/Row.ts"

const tables: Readonly<Record<string, ReadonlyArray<Row>>> = {
  "a store that refuses": refusals,
  "a store that may think better of it": passing,
  "a connection that breaks": broken,
  "a connection that is bad enough": harmless,
  "somebody else at the other end": elsewhere,
  "patience and time": patience,
  "a file sent in parts": multipart,
  "a store that lacks something": dialects
}

const leaked: Array<readonly [row: string, secrets: ReadonlyArray<string>]> = []

describe.concurrent.each(Object.entries(tables))("%s", (_, rows) => {
  for (const row of rows) {
    it(row.name, { fails: row.pending !== undefined }, async () => {
      const played = await play(row)
      const secrets = leaks(played)
      if (secrets.length > 0) leaked.push([row.name, secrets])
      expect(secrets, "secrets in the output").toEqual([])
      judge(row, played)
    })
  }
})

describe("all of these failures together", () => {
  // a row that is expected to fail could hide it
  it("tell no secret", () => expect(leaked).toEqual([]))

  it("are each told by a name of their own", () => {
    const names = Object.entries(tables).flatMap(([table, rows]) => rows.map((row) => `${table}: ${row.name}`))
    expect(new Set(names).size).toBe(names.length)
  })
})
