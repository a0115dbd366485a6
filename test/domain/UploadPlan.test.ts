import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as UploadPlan from "../../src/domain/UploadPlan.ts"

const MiB = 1024 ** 2
const GiB = 1024 ** 3
const part = 8 * MiB

const { Multipart, Single, TooLarge } = UploadPlan.UploadPlan

describe("a store's limits", () => {
  const limits = { memoryBytes: 64 * MiB, partSizeBytes: part }

  it("make parts larger if the store accepts fewer", () => {
    expect(UploadPlan.decide(1000 * part, { ...limits, maxParts: 1000 })).toMatchObject({
      partSizeBytes: part,
      parts: 1000
    })
    expect(UploadPlan.decide(1000 * part + 1, { ...limits, maxParts: 1000 })).toMatchObject({
      partSizeBytes: part + 1,
      parts: 1000
    })
  })

  it("allow fewer parts at once", () => {
    expect(UploadPlan.decide(9 * part, { ...limits, partsAtOnce: 2 })).toMatchObject({ queueSize: 2 })
  })
})

describe("UploadPlan.decide", () => {
  it.each([
    ["an empty file in one request", 0, 64 * MiB, Single({ memoryBytes: 0 })],
    ["a file of one byte in one request", 1, 64 * MiB, Single({ memoryBytes: 1 })],
    ["a file of exactly one part in one request", part, 64 * MiB, Single({ memoryBytes: part })],
    [
      "a file one byte larger than a part in two parts",
      part + 1,
      64 * MiB,
      Multipart({ partSizeBytes: part, parts: 2, queueSize: 2 })
    ],
    ["at most four parts at once", 100 * part, 1 * GiB, Multipart({ partSizeBytes: part, parts: 100, queueSize: 4 })],
    [
      "as many parts at once as memory has room for",
      100 * part,
      2 * part,
      Multipart({ partSizeBytes: part, parts: 100, queueSize: 2 })
    ],
    [
      "one part at once if memory has room for only one",
      100 * part,
      2 * part - 1,
      Multipart({ partSizeBytes: part, parts: 100, queueSize: 1 })
    ],
    [
      "10,000 parts of the requested size",
      10_000 * part,
      64 * MiB,
      Multipart({ partSizeBytes: part, parts: 10_000, queueSize: 4 })
    ],
    [
      "48 GB in parts of the requested size",
      48e9,
      64 * MiB,
      Multipart({ partSizeBytes: part, parts: 5723, queueSize: 4 })
    ],
    ["480 GB in larger parts", 480e9, 64 * MiB, Multipart({ partSizeBytes: 48_000_000, parts: 10_000, queueSize: 1 })],
    [
      "larger parts instead of more than 10,000",
      10_000 * part + 1,
      64 * MiB,
      Multipart({ partSizeBytes: part + 1, parts: 10_000, queueSize: 4 })
    ],
    [
      "no file whose larger parts do not fit into memory",
      10_000 * part + 1,
      part,
      TooLarge({ neededMemoryBytes: part + 1 })
    ],
    [
      "the largest parts that S3 allows",
      10_000 * 5 * GiB,
      20 * GiB,
      Multipart({ partSizeBytes: 5 * GiB, parts: 10_000, queueSize: 4 })
    ],
    [
      "no file that needs larger parts than S3 allows, even with enough memory",
      10_000 * 5 * GiB + 1,
      1024 * GiB,
      TooLarge({ neededMemoryBytes: 5 * GiB + 1 })
    ]
  ])("sends %s", (_, sizeBytes, memoryBytes, plan) => {
    expect(UploadPlan.decide(sizeBytes, { memoryBytes, partSizeBytes: part })).toEqual(plan)
  })

  it("fits a part of the smallest size into the smallest memory", () => {
    expect(
      UploadPlan.decide(100 * MiB, { memoryBytes: UploadPlan.minMemoryBytes, partSizeBytes: UploadPlan.minPartBytes })
    ).toEqual(Multipart({ partSizeBytes: 5 * MiB, parts: 20, queueSize: 1 }))
  })

  // generates a memory size with room for a part, which `Settings.make` guarantees
  const largeLimits = FastCheck.tuple(
    FastCheck.integer({ min: UploadPlan.minPartBytes, max: UploadPlan.maxPartBytes }),
    FastCheck.integer({ min: 0, max: 64 * GiB })
  ).map(([partSizeBytes, more]) => ({ partSizeBytes, memoryBytes: partSizeBytes + more }))
  const smallLimits = FastCheck.tuple(
    FastCheck.integer({ min: UploadPlan.minPartBytes, max: 16 * MiB }),
    FastCheck.integer({ min: 0, max: 64 * MiB })
  ).map(([partSizeBytes, more]) => ({ partSizeBytes, memoryBytes: partSizeBytes + more }))
  const size = FastCheck.oneof(
    FastCheck.integer({ min: 0, max: 100 * MiB }),
    FastCheck.integer({ min: 0, max: 200 * GiB }),
    FastCheck.integer({ min: 0, max: 60_000 * GiB })
  )

  it.prop(
    "respects the limits of S3 and of memory",
    [size, FastCheck.oneof(largeLimits, smallLimits)],
    ([bytes, limits]) => {
      const plan = UploadPlan.decide(bytes, limits)
      switch (plan._tag) {
        case "Single":
          expect(plan.memoryBytes).toBe(bytes)
          expect(plan.memoryBytes).toBeLessThanOrEqual(limits.memoryBytes)
          return
        case "Multipart":
          expect(plan.parts).toBeLessThanOrEqual(UploadPlan.maxParts)
          expect(plan.partSizeBytes).toBeGreaterThanOrEqual(UploadPlan.minPartBytes)
          expect(plan.partSizeBytes).toBeGreaterThanOrEqual(limits.partSizeBytes)
          expect(plan.partSizeBytes).toBeLessThanOrEqual(UploadPlan.maxPartBytes)
          expect(plan.queueSize * plan.partSizeBytes).toBeLessThanOrEqual(limits.memoryBytes)
          expect(plan.queueSize).toBeGreaterThanOrEqual(1)
          expect(plan.queueSize).toBeLessThanOrEqual(4)
          // the parts add up to the file: all except the last are full, and the last is not empty
          expect(plan.parts * plan.partSizeBytes).toBeGreaterThanOrEqual(bytes)
          expect((plan.parts - 1) * plan.partSizeBytes).toBeLessThan(bytes)
          return
        case "TooLarge":
          expect(
            plan.neededMemoryBytes > limits.memoryBytes || bytes > UploadPlan.maxParts * UploadPlan.maxPartBytes
          ).toBe(true)
      }
    }
  )
})

describe("UploadPlan.partsBytes", () => {
  it.each([
    ["half of a large memory", 32 * part, 16 * part],
    ["four parts, if memory has room for eight", 8 * part, 4 * part],
    ["four parts, even if they are more than half of memory", 6 * part, 4 * part],
    ["all of memory if it has no room for four parts", 3 * part, 3 * part],
    ["all of memory if it has room for only one part", part, part]
  ])("is %s", (_, memoryBytes, bytes) => {
    expect(UploadPlan.partsBytes({ memoryBytes, partSizeBytes: part })).toBe(bytes)
  })
})
