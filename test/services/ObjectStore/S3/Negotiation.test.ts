import type { S3Client } from "@aws-sdk/client-s3"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { CredentialsRejected, type StoreAnswer, type StoreError, UploadFailed } from "../../../../src/domain/Errors.ts"
import type { Checksum } from "../../../../src/domain/StoreTraits.ts"
import * as Negotiation from "../../../../src/services/ObjectStore/S3/Negotiation.ts"
import type { Renewing } from "../../../../src/services/ObjectStore/S3/Credentials.ts"

const refusal = (code: string, status = 403): StoreAnswer => ({
  operation: "PutObject",
  detail: "no",
  code,
  status,
  retryable: false
})
const skewed = new CredentialsRejected(refusal("RequestTimeTooSkewed"))
const unknownHeader = new UploadFailed(refusal("NotImplemented", 501))

/** Lessons of a client whose idea of the store's clock, and whose credentials, a test sets. */
const make = (renewed: Awaited<ReturnType<Renewing["renewed"]>> = "none") => {
  const config = { systemClockOffset: 0 }
  const credentials = { current: () => undefined, renewed: async () => renewed } as unknown as Renewing
  const lessons = Negotiation.make({ config } as unknown as S3Client, credentials)
  const sent: Array<Checksum> = []
  /** A request that meets these failures one after the other, and then goes well. */
  const request = (...failures: ReadonlyArray<StoreError>) => {
    const left = [...failures]
    return lessons.negotiated((checksum) =>
      Effect.suspend(() => {
        sent.push(checksum)
        const failure = left.shift()
        if (failure === skewed) config.systemClockOffset = 3_600_000
        return failure === undefined ? Effect.void : Effect.fail(failure)
      })
    )
  }
  return { config, lessons, request, sent }
}

describe("a signature whose time is off", () => {
  it.effect("is made anew when the answer has told the store's time, once", () =>
    Effect.gen(function* () {
      const { request, sent } = make()
      yield* request(skewed)
      expect(sent).toHaveLength(2)
      const told = yield* Effect.flip(make().request(skewed, skewed))
      expect(told).toMatchObject({ retryable: false, hint: expect.stringMatching(/1 h 0 min behind/) })
    })
  )
})

describe("a session that has expired", () => {
  const expired = new CredentialsRejected(refusal("ExpiredToken"))

  it.effect("is replaced where its source has others", () =>
    Effect.gen(function* () {
      const { request, sent } = make("others")
      yield* request(expired)
      expect(sent).toHaveLength(2)
    })
  )

  it.effect.each([
    ["none", "ExpiredToken", false],
    ["unknown", "ExpiredToken", true],
    ["others", "SignatureDoesNotMatch", false]
  ] as const)("fails where its source has %s, by %s, and may be tried later: %s", ([others, code, retryable]) =>
    Effect.gen(function* () {
      const { request, sent } = make(others)
      expect(yield* Effect.flip(request(new CredentialsRejected(refusal(code))))).toMatchObject({ retryable })
      expect(sent).toHaveLength(1)
    })
  )

  it.effect("does not go round for ever", () =>
    Effect.gen(function* () {
      const { request, sent } = make("others")
      yield* Effect.flip(request(...Array.from({ length: 9 }, () => expired)))
      expect(sent).toHaveLength(4)
    })
  )
})

describe("a checksum header that is not implemented", () => {
  it.effect("is replaced once, and that is learned when the other is taken", () =>
    Effect.gen(function* () {
      const { lessons, request, sent } = make()
      expect(lessons.traits()).toBeUndefined()
      yield* request(unknownHeader)
      yield* request()
      expect(sent).toEqual(["SHA256", "MD5", "MD5"])
      expect(lessons.traits()).toEqual({ checksum: "MD5", clockOffsetMillis: 0, unencrypted: false })
    })
  )

  it.effect("comes back when the other one is refused as well: it was about something else", () =>
    Effect.gen(function* () {
      const { lessons, request, sent } = make()
      yield* Effect.flip(request(unknownHeader, unknownHeader))
      yield* Effect.flip(request(unknownHeader))
      yield* request()
      expect(sent).toEqual(["SHA256", "MD5", "SHA256", "SHA256"])
      expect(lessons.traits()?.checksum).toBe("SHA256")
    })
  )

  it.effect("is replaced also in a request that had it when another learned", () =>
    Effect.gen(function* () {
      const { lessons, request } = make()
      const sent: Array<Checksum> = []
      yield* lessons.negotiated((checksum) => {
        sent.push(checksum)
        return checksum === "SHA256" ? Effect.zipRight(request(unknownHeader), Effect.fail(unknownHeader)) : Effect.void
      })
      expect(sent).toEqual(["SHA256", "MD5"])
    })
  )

  it.effect("is not sent where an earlier run has learned", () =>
    Effect.gen(function* () {
      const { lessons, request, sent } = make()
      lessons.assumeChecksum("MD5")
      yield* request()
      yield* Effect.flip(request(unknownHeader))
      expect(sent).toEqual(["MD5", "MD5"])
    })
  )

  it.effect("is no lesson where the store implements all, and refuses", () =>
    Effect.gen(function* () {
      const { request, sent } = make()
      yield* Effect.flip(request(new UploadFailed(refusal("InvalidArgument", 400))))
      expect(sent).toEqual(["SHA256"])
    })
  )
})

describe("an answer about encryption", () => {
  it.effect("is missed where encryption was asked for", () =>
    Effect.gen(function* () {
      const { lessons, request } = make()
      yield* request()
      lessons.noteEncryption({}, {})
      lessons.noteEncryption({ ServerSideEncryption: "AES256" }, { ServerSideEncryption: "AES256" })
      expect(lessons.traits()?.unencrypted).toBe(false)
      lessons.noteEncryption({ ServerSideEncryption: "AES256" }, {})
      expect(lessons.traits()?.unencrypted).toBe(true)
    })
  )
})
