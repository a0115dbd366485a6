/** Every known way in which an upload fails: what the built program tries, how it exits, and what it advises. */
import { describe, expect, it } from "vitest"
import { brokenConnections, slowAnswers } from "./faults/BrokenConnections.ts"
import { clockSkew } from "./faults/ClockSkew.ts"
import { endpoints } from "./faults/Endpoints.ts"
import type { FaultCase } from "./faults/FaultCase.ts"
import { expectOutcome, runCase } from "./faults/FaultRun.ts"
import { multipart } from "./faults/Multipart.ts"
import { permanentErrors } from "./faults/PermanentErrors.ts"
import { retryAfterCases } from "./faults/RetryAfter.ts"
import { transientErrors } from "./faults/TransientErrors.ts"
import { unsupportedFeatures } from "./faults/UnsupportedFeatures.ts"

const tables: Readonly<Record<string, ReadonlyArray<FaultCase>>> = {
  "on a permanent error": permanentErrors,
  "on a transient error": transientErrors,
  "on a broken connection": brokenConnections,
  "on a slow answer": slowAnswers,
  "at an unusual endpoint": endpoints,
  "on Retry-After": retryAfterCases,
  "with clock skew": clockSkew,
  "in a multipart upload": multipart,
  "with an unsupported feature": unsupportedFeatures
}

const title = ({ exit, when }: FaultCase) => `exits ${exit} when ${when}`

describe.concurrent.each(Object.entries(tables))("%s", (_, cases) => {
  for (const faultCase of cases) {
    it(title(faultCase), async () => {
      expectOutcome(faultCase, await runCase(faultCase))
    })
  }
})

describe("the fault tables", () => {
  it("give every case a distinct title", () => {
    const titles = Object.entries(tables).flatMap(([table, cases]) => cases.map((each) => `${table} ${title(each)}`))
    expect(new Set(titles).size).toBe(titles.length)
  })
})
