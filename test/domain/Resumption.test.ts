import { describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import * as Errors from "../../src/domain/Errors.ts"
import * as ObjectKey from "../../src/domain/ObjectKey.ts"
import * as Resumption from "../../src/domain/Resumption.ts"
import type { ObjectAttributes } from "../../src/domain/Settings.ts"
import { settingsWith } from "../fixtures/Settings.ts"

const prefix = Either.getOrThrow(ObjectKey.parsePrefix("p"))
const key = (text: string) => Either.getOrThrow(ObjectKey.of(prefix, text))

const wanted: Resumption.Created = {
  key: key("a"),
  generation: 1,
  state: "final",
  partSizeBytes: 8,
  attributes: "x",
  checksum: "SHA256"
}
const kept = (more: Partial<Resumption.KeptUpload> = {}): Resumption.KeptUpload => ({
  ...wanted,
  uploadId: "u",
  sizeBytes: 100,
  usedAt: 1000,
  parts: new Map(),
  ...more
})

describe("an upload that was cut off", () => {
  it.each<[title: string, kept: Resumption.KeptUpload, sizeBytes: number, at: number, why: RegExp | undefined]>([
    ["is gone on with", kept(), 100, 1000, undefined],
    ["is gone on with for a file that has grown", kept(), 101, 1000, undefined],
    ["is gone on with seven days later", kept(), 100, 1000 + Resumption.keptMillis, undefined],
    ["begins anew a moment after that", kept(), 100, 1001 + Resumption.keptMillis, /too old/],
    ["begins anew for another key", kept({ key: key("b") }), 100, 1000, /another key/],
    ["begins anew for another generation", kept({ generation: 2 }), 100, 1000, /another key/],
    ["begins anew when what was live is final", kept({ state: "live" }), 100, 1000, /live object/],
    ["begins anew with parts of another size", kept({ partSizeBytes: 9 }), 100, 1000, /another size/],
    ["begins anew with other attributes", kept({ attributes: "y" }), 100, 1000, /attributes/],
    ["begins anew with another kind of checksum", kept({ checksum: "MD5" }), 100, 1000, /checksum/],
    ["begins anew for a file that is shorter", kept(), 99, 1000, /shorter/]
  ])("%s", (_, upload, sizeBytes, at, why) => {
    const decision = Resumption.decide(upload, wanted, sizeBytes, at)
    expect(decision).toEqual(
      why === undefined
        ? Resumption.Decision.Resume()
        : Resumption.Decision.StartOver({ why: expect.stringMatching(why) as string })
    )
  })
})

describe("a part that is kept", () => {
  const part = (sizeBytes: number, sha256 = "s"): Resumption.KeptPart => ({
    number: 1,
    sizeBytes,
    sha256,
    etag: "e",
    checksum: undefined
  })
  it.each([
    ["does not exist", undefined, "send"],
    ["is the same", part(8), "stored"],
    ["has other bytes", part(8, "t"), "other"],
    ["was the last of a shorter file", part(7, "t"), "send"],
    ["is longer than what there is now", part(9), "other"]
  ] as const)("is judged by its bytes: %s", (_, part, judgement) => {
    expect(Resumption.comparePart(part, { sizeBytes: 8, sha256: "s" })).toBe(judgement)
  })
})

describe("an upload that no run is at work with", () => {
  const idle = (isStored: boolean, usedAt: number) => ({ key: key("a"), uploadId: "u", isStored, usedAt })
  const now = 1000 + Resumption.keptMillis
  it.each([
    ["its file is gone", idle(false, now), false, true],
    ["its file was stored in another way", idle(true, now), true, true],
    ["it was not used for longer than seven days", idle(false, 999), true, true],
    ["it was used within seven days", idle(false, 1000), true, false]
  ])("is left over, or not: %s", (_, upload, isThere, left) => {
    expect(Resumption.isStale(upload, isThere, now)).toBe(left)
  })
})

describe("isUnknownUpload", () => {
  const answer = (code: string) => ({ operation: "UploadPart", detail: "d", retryable: false, code })
  it("is true only for NoSuchUpload", () => {
    expect(Resumption.isUnknownUpload(new Errors.UploadFailed(answer("NoSuchUpload")))).toBe(true)
    expect(Resumption.isUnknownUpload(new Errors.UploadFailed(answer("InvalidPart")))).toBe(false)
    expect(Resumption.isUnknownUpload(new Errors.BucketUnusable(answer("NoSuchBucket")))).toBe(false)
  })
})

describe("the attributes of an upload", () => {
  const of = (more: Partial<ObjectAttributes>) => Resumption.attributesOf(settingsWith(more))
  it("are told in the same words, whatever the order they were given in", () => {
    expect(of({ tags: { a: "1", b: "2" } })).toBe(of({ tags: { b: "2", a: "1" } }))
    expect(of({ noOverwrite: true }), "it is asked for at the end").toBe(of({}))
  })

  it.each<[changed: Partial<ObjectAttributes>, encryption: string]>([
    [{}, `[["_tag","BucketDefault"]]`],
    [{ sse: "s3" }, `[["_tag","S3"]]`],
    [
      { sse: "kms", kmsKeyId: "k", kmsContext: { b: "2", a: "1" } },
      `[["_tag","Kms"],["context",[["a","1"],["b","2"]]],["keyId","k"]]`
    ]
  ])("keep the words whose digest is in ledgers: %j", (changed, encryption) => {
    expect(of(changed)).toBe(`[${encryption},null,null,[],[]]`)
  })

  it.each([
    { tags: { a: "1" } },
    { metadata: { a: "1" } },
    { acl: "private" },
    { storageClass: "STANDARD_IA" },
    { sse: "s3" as const },
    { sse: "kms" as const, kmsKeyId: "k" },
    { sse: "kms" as const, kmsContext: { a: "b" } }
  ])("differ by each of them: %j", (more) => {
    expect(of(more)).not.toBe(of({}))
  })
})
