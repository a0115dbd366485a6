import type { S3Client } from "@aws-sdk/client-s3"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { CredentialsRejected, type StoreAnswer, type StoreError, UploadFailed } from "../../../src/domain/Errors.ts"
import type { Checksum } from "../../../src/domain/Learned.ts"
import * as Lessons from "../../../src/services/ObjectStore/S3Lessons.ts"
import type { Renewing } from "../../../src/services/ObjectStore/S3Credentials.ts"

const refusal = (code: string, status = 403): StoreAnswer => ({
  operation: "PutObject",
  detail: "no",
  code,
  status,
  retryable: false
})
const unknownHeader = new UploadFailed(refusal("NotImplemented", 501))

/** Lessons of a client whose idea of the store's clock, and whose credentials, a test sets. */
const make = (renewed = false) => {
  const config = { systemClockOffset: 0 }
  const credentials = { current: () => undefined, renewed: async () => renewed } as unknown as Renewing
  return { config, lessons: Lessons.make({ config } as unknown as S3Client, credentials) }
}

/** Whether what fails with this is worth one more attempt. */
const retryable = (lessons: Lessons.Lessons, error: StoreError, meanwhile: () => void = () => {}) =>
  Effect.map(
    Effect.flip(lessons.heeded(() => Effect.suspend(() => (meanwhile(), Effect.fail(error))))),
    (told) => "retryable" in told && told.retryable
  )

const sent = (lessons: Lessons.Lessons) =>
  lessons.heeded((checksum): Effect.Effect<Checksum> => Effect.succeed(checksum))

describe("a signature whose time is off", () => {
  const skewed = new CredentialsRejected(refusal("RequestTimeTooSkewed"))

  it.effect("is made anew when the answer has told the store's time", () =>
    Effect.gen(function* () {
      const { config, lessons } = make()
      expect(yield* retryable(lessons, skewed, () => (config.systemClockOffset = 3_600_000))).toBe(true)
    })
  )

  it.effect("is rejected when that did not help, and the offset is told", () =>
    Effect.gen(function* () {
      const { config, lessons } = make()
      config.systemClockOffset = -7_200_000
      const told = yield* Effect.flip(lessons.heeded(() => Effect.fail(skewed)))
      expect(told).toMatchObject({ retryable: false, hint: expect.stringMatching(/2 h 0 min ahead of/) })
    })
  )
})

describe("a session that has expired", () => {
  it.effect.each([
    [true, "ExpiredToken", true],
    [false, "ExpiredToken", false],
    [true, "SignatureDoesNotMatch", false]
  ] as const)("with others to be had: %s, by %s, is worth another attempt: %s", ([others, code, expected]) =>
    Effect.gen(function* () {
      expect(yield* retryable(make(others).lessons, new CredentialsRejected(refusal(code)))).toBe(expected)
    })
  )
})

describe("a checksum header that is not implemented", () => {
  it.effect("is replaced once, and that is learned when the other is taken", () =>
    Effect.gen(function* () {
      const { lessons } = make()
      expect(yield* retryable(lessons, unknownHeader)).toBe(true)
      expect(lessons.learned().checksum).toBe("CRC32")
      expect(yield* sent(lessons)).toBe("MD5")
      expect(lessons.learned().checksum).toBe("MD5")
    })
  )

  it.effect("comes back when the other one is refused as well: it was about something else", () =>
    Effect.gen(function* () {
      const { lessons } = make()
      expect(yield* retryable(lessons, unknownHeader)).toBe(true)
      expect(yield* retryable(lessons, unknownHeader)).toBe(false)
      expect(yield* sent(lessons)).toBe("CRC32")
      expect(yield* retryable(lessons, unknownHeader)).toBe(false)
    })
  )

  it.effect("is worth another attempt also for a request that had it when another learned", () =>
    Effect.gen(function* () {
      const { lessons } = make()
      const learn = Effect.zipRight(retryable(lessons, unknownHeader), sent(lessons))
      const late = lessons.heeded(() => Effect.zipRight(Effect.ignore(learn), Effect.fail(unknownHeader)))
      expect(yield* Effect.flip(late)).toMatchObject({ retryable: true })
    })
  )

  it.effect("is not sent where an earlier run has learned", () =>
    Effect.gen(function* () {
      const { lessons } = make()
      lessons.expect("MD5")
      expect(yield* sent(lessons)).toBe("MD5")
      expect(yield* retryable(lessons, unknownHeader)).toBe(false)
    })
  )

  it.effect("is no lesson where the store implements all, and refuses", () =>
    Effect.gen(function* () {
      const { lessons } = make()
      expect(yield* retryable(lessons, new UploadFailed(refusal("InvalidArgument", 400)))).toBe(false)
      expect(yield* sent(lessons)).toBe("CRC32")
    })
  )
})
