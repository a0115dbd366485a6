/** Every way in which an upload is known to fail: what the built program tries, how it ends, and what it advises. */
import { describe, expect, it } from "vitest"
import { broken, harmless } from "./faults/Breaks.ts"
import { dialects } from "./faults/Dialects.ts"
import { elsewhere } from "./faults/Elsewhere.ts"
import { multipart } from "./faults/Multipart.ts"
import { passing } from "./faults/Passing.ts"
import { patience } from "./faults/Patience.ts"
import { judge, play } from "./faults/Play.ts"
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

describe.concurrent.each(Object.entries(tables))("%s", (_, rows) => {
  for (const row of rows) {
    it(row.name, async () => {
      judge(row, await play(row))
    })
  }
})

describe("all of these failures together", () => {
  it("are each told by a name of their own", () => {
    const names = Object.entries(tables).flatMap(([table, rows]) => rows.map((row) => `${table}: ${row.name}`))
    expect(new Set(names).size).toBe(names.length)
  })
})
