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

describe("an unfinished upload", () => {
  it.each<[title: string, kept: Resumption.KeptUpload, sizeBytes: number, at: number, why: RegExp | undefined]>([
    ["is resumed", kept(), 100, 1000, undefined],
    ["is resumed for a file that has grown", kept(), 101, 1000, undefined],
    ["is resumed seven days later", kept(), 100, 1000 + Resumption.maxIdleMillis, undefined],
    ["starts over after seven days and a millisecond", kept(), 100, 1001 + Resumption.maxIdleMillis, /too old/],
    ["starts over for another key", kept({ key: key("b") }), 100, 1000, /another key/],
    ["starts over for another generation", kept({ generation: 2 }), 100, 1000, /another key/],
    ["starts over when the live file has become final", kept({ state: "live" }), 100, 1000, /live object/],
    ["starts over with another part size", kept({ partSizeBytes: 9 }), 100, 1000, /another size/],
    ["starts over with other attributes", kept({ attributes: "y" }), 100, 1000, /attributes/],
    ["starts over with another kind of checksum", kept({ checksum: "MD5" }), 100, 1000, /checksum/],
    ["starts over for a shorter file", kept(), 99, 1000, /shorter/]
  ])("%s", (_, upload, sizeBytes, at, why) => {
    const decision = Resumption.decide(upload, wanted, sizeBytes, at)
    expect(decision).toEqual(
      why === undefined
        ? Resumption.Decision.Resume()
        : Resumption.Decision.StartOver({ why: expect.stringMatching(why) as string })
    )
  })
})

describe("Resumption.comparePart", () => {
  const part = (sizeBytes: number, sha256 = "s"): Resumption.KeptPart => ({
    number: 1,
    sizeBytes,
    sha256,
    etag: "e",
    checksum: undefined
  })
  it.each([
    ["does not exist", "send", undefined],
    ["has the same bytes", "stored", part(8)],
    ["has other bytes", "different", part(8, "t")],
    ["was the last part of a shorter file", "send", part(7, "t")],
    ["is longer than the file's bytes at its position", "different", part(9)]
  ] as const)("given a part that %s, returns %j", (_, result, stored) => {
    expect(Resumption.comparePart(stored, { sizeBytes: 8, sha256: "s" })).toBe(result)
  })
})

describe("Resumption.isStale", () => {
  const idle = (isStored: boolean, usedAt: number) => ({ key: key("a"), uploadId: "u", isStored, usedAt })
  const now = 1000 + Resumption.maxIdleMillis
  it.each([
    ["whose file is gone", true, idle(false, now), false],
    ["whose file was stored in another way", true, idle(true, now), true],
    ["that was not used for more than seven days", true, idle(false, 999), true],
    ["that was used within seven days", false, idle(false, 1000), true]
  ])("given an upload %s, returns %s", (_, isStale, upload, exists) => {
    expect(Resumption.isStale(upload, exists, now)).toBe(isStale)
  })
})

describe("Resumption.isUnknownUpload", () => {
  const answer = (code: string) => ({ operation: "UploadPart", detail: "d", retryable: false, code })
  it("returns true only for NoSuchUpload", () => {
    expect(Resumption.isUnknownUpload(new Errors.UploadFailed(answer("NoSuchUpload")))).toBe(true)
    expect(Resumption.isUnknownUpload(new Errors.UploadFailed(answer("InvalidPart")))).toBe(false)
    expect(Resumption.isUnknownUpload(new Errors.BucketUnusable(answer("NoSuchBucket")))).toBe(false)
  })
})

describe("Resumption.attributesOf", () => {
  const of = (more: Partial<ObjectAttributes>) => Resumption.attributesOf(settingsWith(more))
  it("does not depend on the order of the attributes", () => {
    expect(of({ tags: { a: "1", b: "2" } })).toBe(of({ tags: { b: "2", a: "1" } }))
    expect(of({ noOverwrite: true }), "only the completion asks for it").toBe(of({}))
  })

  it.each<[changed: Partial<ObjectAttributes>, encryption: string]>([
    [{}, `[["_tag","BucketDefault"]]`],
    [{ sse: "s3" }, `[["_tag","S3"]]`],
    [
      { sse: "kms", kmsKeyId: "k", kmsContext: { b: "2", a: "1" } },
      `[["_tag","Kms"],["context",[["a","1"],["b","2"]]],["keyId","k"]]`
    ]
  ])("returns the text whose digest is in existing ledgers: %j", (changed, encryption) => {
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
  ])("depends on each attribute: %j", (more) => {
    expect(of(more)).not.toBe(of({}))
  })
})
