import { describe, expect, it } from "@effect/vitest"
import { UploadFailed } from "../../src/domain/Errors.ts"
import * as LostCompletion from "../../src/domain/LostCompletion.ts"

const pause = 6 * 3_600_000

describe("the number of times that a run may send a file", () => {
  it.each([
    ["no completion was lost", 0, 0, 2],
    ["one was lost just now", 1, 0, 1],
    ["two were lost just now", 2, 0, 1],
    ["three were lost, the last one six hours ago", 3, pause, 0],
    ["three were lost, the last one longer ago", 3, pause + 1, 1],
    ["many were lost, the last one just now", 99, 0, 0],
    // the clock was set back
    ["three were lost, the last one in the future", 3, -pause, 0]
  ])("depends on earlier lost completions: %s", (_, count, agoMillis, expected) => {
    const now = 10 * pause
    expect(LostCompletion.attemptsLeft({ count, at: now - agoMillis }, now)).toBe(expected)
  })
})

it("the failure of a postponed file names the store's response, the timeout to raise, and the time of the next attempt", () => {
  const refusal = new UploadFailed({
    operation: "CompleteMultipartUpload",
    detail: "no",
    code: "NoSuchUpload",
    status: 404,
    requestId: "R1",
    retryable: false
  })
  const failure = LostCompletion.failure(false, refusal)
  expect(LostCompletion.isLost(failure)).toBe(true)
  expect(LostCompletion.isLost(refusal)).toBe(false)
  expect(failure).toMatchObject({
    status: 404,
    requestId: "R1",
    message: expect.stringContaining("may hold the object")
  })
  expect(failure.hint).toMatch(/time-out of the load balancer.*the next run/)
  expect(LostCompletion.failure(true).hint).toContain("--force")
})
