/** Every way in which an upload is known to fail: what the built program tries, how it ends, and what it advises. */
import { describe, expect, it } from "vitest"
import { brokenConnections, slowAnswers } from "./faults/BrokenConnections.ts"
import { unsupportedFeatures } from "./faults/UnsupportedFeatures.ts"
import { endpoints } from "./faults/Endpoints.ts"
import { multipart } from "./faults/Multipart.ts"
import { transientErrors } from "./faults/TransientErrors.ts"
import { patience } from "./faults/RetryAfter.ts"
import { expectCase, runCase } from "./faults/FaultRun.ts"
import { permanentErrors } from "./faults/PermanentErrors.ts"
import type { FaultCase } from "./faults/FaultCase.ts"

const tables: Readonly<Record<string, ReadonlyArray<FaultCase>>> = {
  "a store that refuses": permanentErrors,
  "a store that may think better of it": transientErrors,
  "a connection that breaks": brokenConnections,
  "a connection that is bad enough": slowAnswers,
  "somebody else at the other end": endpoints,
  "patience and time": patience,
  "a file sent in parts": multipart,
  "a store that lacks something": unsupportedFeatures
}

describe.concurrent.each(Object.entries(tables))("%s", (_, rows) => {
  for (const row of rows) {
    it(row.name, async () => {
      expectCase(row, await runCase(row))
    })
  }
})

describe("all of these failures together", () => {
  it("are each told by a name of their own", () => {
    const names = Object.entries(tables).flatMap(([table, rows]) => rows.map((row) => `${table}: ${row.name}`))
    expect(new Set(names).size).toBe(names.length)
  })
})
