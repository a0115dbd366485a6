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

/** With a client whose clock offset the request sets, and credentials whose renewal ends like this. */
const make = (result: Awaited<ReturnType<RenewingCredentials["renew"]>> = "unchanged") => {
  const config = { systemClockOffset: 0 }
  const credentials = { current: () => undefined, renew: async () => result } as unknown as RenewingCredentials
  const negotiation = Negotiation.make({ config } as unknown as S3Client, credentials)
  const sent: Array<Checksum> = []
  /** A request that fails like this, one attempt after the other, and then succeeds. */
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

describe("a request that is refused because its timestamp is wrong", () => {
  it.effect("is repeated once with the time in the response", () =>
    Effect.gen(function* () {
      const { request, sent } = make()
      yield* request(skewed)
      expect(sent).toHaveLength(2)
      const error = yield* Effect.flip(make().request(skewed, skewed))
      expect(error).toMatchObject({ retryable: false, hint: expect.stringMatching(/1 h 0 min behind/) })
    })
  )
})

describe("a request that is refused because its session has expired", () => {
  const expired = new CredentialsRejected(refusal("ExpiredToken"))

  it.effect("is repeated if the credentials were renewed", () =>
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
  ] as const)("fails if the credentials are %s and the code is %s; retryable: %s", ([result, code, retryable]) =>
    Effect.gen(function* () {
      const { request, sent } = make(result)
      expect(yield* Effect.flip(request(new CredentialsRejected(refusal(code))))).toMatchObject({ retryable })
      expect(sent).toHaveLength(1)
    })
  )

  it.effect("is repeated three times at most", () =>
    Effect.gen(function* () {
      const { request, sent } = make("renewed")
      yield* Effect.flip(request(...Array.from({ length: 9 }, () => expired)))
      expect(sent).toHaveLength(4)
    })
  )
})

describe("a checksum header that is refused as not implemented", () => {
  it.effect("is replaced by Content-MD5, which stays in use once the store accepts it", () =>
    Effect.gen(function* () {
      const { negotiation, request, sent } = make()
      expect(negotiation.traits()).toBeUndefined()
      yield* request(unknownHeader)
      yield* request()
      expect(sent).toEqual(["SHA256", "MD5", "MD5"])
      expect(negotiation.traits()).toEqual({ checksum: "MD5", clockOffsetMillis: 0, unencrypted: false })
    })
  )

  it.effect("is used again if the store refuses Content-MD5 as well", () =>
    Effect.gen(function* () {
      const { negotiation, request, sent } = make()
      yield* Effect.flip(request(unknownHeader, unknownHeader))
      yield* Effect.flip(request(unknownHeader))
      yield* request()
      expect(sent).toEqual(["SHA256", "MD5", "SHA256", "SHA256"])
      expect(negotiation.traits()?.checksum).toBe("SHA256")
    })
  )

  it.effect("is replaced in a request that was in flight when another request switched to MD5", () =>
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

  it.effect("is not sent if an earlier run used Content-MD5", () =>
    Effect.gen(function* () {
      const { negotiation, request, sent } = make()
      negotiation.assumeChecksum("MD5")
      yield* request()
      yield* Effect.flip(request(unknownHeader))
      expect(sent).toEqual(["MD5", "MD5"])
    })
  )

  it.effect("stays in use after any other refusal", () =>
    Effect.gen(function* () {
      const { request, sent } = make()
      yield* Effect.flip(request(new UploadFailed(refusal("InvalidArgument", 400))))
      expect(sent).toEqual(["SHA256"])
    })
  )
})

describe("requested encryption", () => {
  it.effect("counts as missing if the store does not confirm it", () =>
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
