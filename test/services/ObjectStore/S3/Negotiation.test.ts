import type { S3Client } from "@aws-sdk/client-s3"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { CredentialsRejected, type StoreAnswer, type StoreError, UploadFailed } from "../../../../src/domain/Errors.ts"
import type { Checksum } from "../../../../src/domain/StoreTraits.ts"
import type { RenewingCredentials } from "../../../../src/services/ObjectStore/S3/Credentials.ts"
import * as Negotiation from "../../../../src/services/ObjectStore/S3/Negotiation.ts"

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
const make = (result: Awaited<ReturnType<RenewingCredentials["renew"]>> = "unchanged") => {
  const config = { systemClockOffset: 0 }
  const credentials = { current: () => undefined, renew: async () => result } as unknown as RenewingCredentials
  const negotiation = Negotiation.make({ config } as unknown as S3Client, credentials)
  const sent: Array<Checksum> = []
  /** A request that meets these failures one after the other, and then goes well. */
  const request = (...failures: ReadonlyArray<StoreError>) => {
    const left = [...failures]
    return negotiation.negotiated((checksum) =>
      Effect.suspend(() => {
        sent.push(checksum)
        const failure = left.shift()
        if (failure === skewed) config.systemClockOffset = 3_600_000
        return failure === undefined ? Effect.void : Effect.fail(failure)
      })
    )
  }
  return { config, negotiation, request, sent }
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
      const { request, sent } = make("renewed")
      yield* request(expired)
      expect(sent).toHaveLength(2)
    })
  )

  it.effect.each([
    ["unchanged", "ExpiredToken", false],
    ["unavailable", "ExpiredToken", true],
    ["renewed", "SignatureDoesNotMatch", false]
  ] as const)("fails where its source has %s, by %s, and may be tried later: %s", ([result, code, retryable]) =>
    Effect.gen(function* () {
      const { request, sent } = make(result)
      expect(yield* Effect.flip(request(new CredentialsRejected(refusal(code))))).toMatchObject({ retryable })
      expect(sent).toHaveLength(1)
    })
  )

  it.effect("does not go round for ever", () =>
    Effect.gen(function* () {
      const { request, sent } = make("renewed")
      yield* Effect.flip(request(...Array.from({ length: 9 }, () => expired)))
      expect(sent).toHaveLength(4)
    })
  )
})

describe("a checksum header that is not implemented", () => {
  it.effect("is replaced once, and that is learned when the other is taken", () =>
    Effect.gen(function* () {
      const { negotiation, request, sent } = make()
      expect(negotiation.traits()).toBeUndefined()
      yield* request(unknownHeader)
      yield* request()
      expect(sent).toEqual(["SHA256", "MD5", "MD5"])
      expect(negotiation.traits()).toEqual({ checksum: "MD5", clockOffsetMillis: 0, unencrypted: false })
    })
  )

  it.effect("comes back when the other one is refused as well: it was about something else", () =>
    Effect.gen(function* () {
      const { negotiation, request, sent } = make()
      yield* Effect.flip(request(unknownHeader, unknownHeader))
      yield* Effect.flip(request(unknownHeader))
      yield* request()
      expect(sent).toEqual(["SHA256", "MD5", "SHA256", "SHA256"])
      expect(negotiation.traits()?.checksum).toBe("SHA256")
    })
  )

  it.effect("is replaced also in a request that had it when another learned", () =>
    Effect.gen(function* () {
      const { negotiation, request } = make()
      const sent: Array<Checksum> = []
      yield* negotiation.negotiated((checksum) => {
        sent.push(checksum)
        return checksum === "SHA256" ? Effect.zipRight(request(unknownHeader), Effect.fail(unknownHeader)) : Effect.void
      })
      expect(sent).toEqual(["SHA256", "MD5"])
    })
  )

  it.effect("is not sent where an earlier run has learned", () =>
    Effect.gen(function* () {
      const { negotiation, request, sent } = make()
      negotiation.assumeChecksum("MD5")
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
      const { negotiation, request } = make()
      yield* request()
      negotiation.noteEncryption({}, {})
      negotiation.noteEncryption({ ServerSideEncryption: "AES256" }, { ServerSideEncryption: "AES256" })
      expect(negotiation.traits()?.unencrypted).toBe(false)
      negotiation.noteEncryption({ ServerSideEncryption: "AES256" }, {})
      expect(negotiation.traits()?.unencrypted).toBe(true)
    })
  )
})
