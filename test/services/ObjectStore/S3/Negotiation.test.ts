import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  AccessDenied,
  CredentialsRejected,
  type StoreAnswer,
  type StoreError,
  UploadFailed
} from "../../../../src/domain/Errors.ts"
import type { Checksum } from "../../../../src/domain/StoreTraits.ts"
import type { RenewingCredentials } from "../../../../src/services/ObjectStore/S3/Credentials.ts"
import * as Negotiation from "../../../../src/services/ObjectStore/S3/Negotiation.ts"
import * as StoreClock from "../../../../src/services/ObjectStore/S3/StoreClock.ts"

const refusal = (code: string, status = 403): StoreAnswer => ({
  operation: "PutObject",
  detail: "no",
  code,
  status,
  retryable: false
})
const skewed = (offsetMillis: number | undefined) =>
  new CredentialsRejected({
    ...refusal("RequestTimeTooSkewed"),
    storeTime: offsetMillis === undefined ? undefined : Date.now() + offsetMillis
  })
const unknownHeader = new UploadFailed(refusal("NotImplemented", 501))
const unexplained = new UploadFailed(refusal("InvalidArgument", 400))

const hour = 3_600_000

/** A negotiation with credentials whose renewal has this result. */
const make = (
  result: Awaited<ReturnType<RenewingCredentials["renew"]>> = "unchanged",
  identity: { readonly sessionToken?: string } | undefined = undefined
) => {
  const clock = StoreClock.make()
  const credentials = { current: () => identity, renew: async () => result } as unknown as RenewingCredentials
  const negotiation = Negotiation.make(clock, credentials)
  const sent: Array<Checksum> = []
  /** A request whose attempts fail with these errors, in order, before one succeeds. */
  const request = (...failures: ReadonlyArray<StoreError>) => {
    const left = [...failures]
    return negotiation.withChecksum("PutObject", (checksum) =>
      Effect.suspend(() => {
        sent.push(checksum)
        const failure = left.shift()
        return failure === undefined ? Effect.void : Effect.fail(failure)
      })
    )
  }
  return { clock, negotiation, request, sent }
}

describe("a request that is refused because its timestamp is wrong", () => {
  it.effect("is repeated once with the time in the response", () =>
    Effect.gen(function* () {
      const { clock, request, sent } = make()
      yield* request(skewed(hour))
      expect(sent).toHaveLength(2)
      expect(Math.round(clock.correction() / hour)).toBe(1)
    })
  )

  it.effect("fails if the store also refuses the time in the response, which is not used again", () =>
    Effect.gen(function* () {
      const { clock, request, sent } = make()
      const error = yield* Effect.flip(request(skewed(hour), skewed(hour)))
      expect(error).toMatchObject({ retryable: false, hint: expect.stringMatching(/1 h 0 min behind/) })
      expect(clock.correction()).toBe(0)
      yield* Effect.flip(request(skewed(hour)))
      expect(sent).toHaveLength(3)
    })
  )

  it.effect("names a proxy's clock as a possible cause if the response has the host's time", () =>
    Effect.gen(function* () {
      for (const offset of [0, undefined]) {
        const { request, sent } = make()
        expect((yield* Effect.flip(request(skewed(offset)))).hint).toContain("a proxy's")
        expect(sent).toHaveLength(1)
      }
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
    [{ sessionToken: "t" }, 2],
    [{}, 1]
  ] as const)("is repeated even if the store reports the key as unknown: %j, attempts: %i", ([identity, attempts]) =>
    Effect.gen(function* () {
      const { request, sent } = make("renewed", identity)
      yield* Effect.either(request(new CredentialsRejected(refusal("InvalidAccessKeyId"))))
      expect(sent).toHaveLength(attempts)
    })
  )

  it.effect.each([
    ["unchanged", "ExpiredToken", false],
    ["unavailable", "ExpiredToken", true],
    ["renewed", "InvalidAccessKeyId", false]
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

describe("a checksum that the store refuses", () => {
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

  it.effect("is left out if the store refuses Content-MD5, too", () =>
    Effect.gen(function* () {
      const { negotiation, request, sent } = make()
      yield* request(unknownHeader, unknownHeader)
      yield* request()
      expect(sent).toEqual(["SHA256", "MD5", "none", "none"])
      expect(negotiation.traits()?.checksum).toBe("none")
    })
  )

  it.effect("stays in use if every request fails with and without it, and the first refusal is reported", () =>
    Effect.gen(function* () {
      const { negotiation, request, sent } = make()
      expect(yield* Effect.flip(request(unexplained, unknownHeader, unknownHeader))).toBe(unexplained)
      yield* Effect.flip(request(unexplained))
      yield* request()
      expect(sent).toEqual(["SHA256", "MD5", "none", "SHA256", "SHA256"])
      expect(negotiation.traits()?.checksum).toBe("SHA256")
    })
  )

  it.effect("does not hide the failure of the request without a checksum", () =>
    Effect.gen(function* () {
      const { request, sent } = make()
      const denied = new AccessDenied(refusal("AccessDenied"))
      expect(yield* Effect.flip(request(unexplained, denied))).toBe(denied)
      expect(sent).toEqual(["SHA256", "MD5"])
    })
  )

  it.effect("is also replaced in a request whose session has expired", () =>
    Effect.gen(function* () {
      const { request, sent } = make("renewed")
      yield* request(unknownHeader, new CredentialsRejected(refusal("ExpiredToken")))
      expect(sent).toEqual(["SHA256", "MD5", "MD5"])
    })
  )

  it.effect("stays in use for the parts of an upload that was created with it", () =>
    Effect.gen(function* () {
      const { negotiation, request, sent } = make()
      yield* request(unknownHeader)
      const ofPart = yield* negotiation.withChecksum("UploadPart", (checksum) => Effect.succeed(checksum), "SHA256")
      expect([sent.at(-1), ofPart]).toEqual(["MD5", "SHA256"])
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
