import { describe, expect, it } from "@effect/vitest"
import { hash } from "node:crypto"
import * as Etags from "../../../../src/services/ObjectStore/S3/Etags.ts"

const body = Buffer.from("body")
const own = `"${hash("md5", body)}"`
const other = `"${hash("md5", "other")}"`
const empty = `"${hash("md5", "")}"`

/** The mismatch that is found in the last of these responses for the same body. */
const last = (...answers: ReadonlyArray<string>) => {
  const etags = Etags.make()
  return answers.map((etag) => etags.mismatch(etag, body)).at(-1)
}

describe("an ETag", () => {
  it.each([
    ["is the body's digest", [own]],
    ["is the body's digest in capitals, without quotes", [own.slice(1, -1).toUpperCase()]],
    ["has another form", ['"5f3a-19"']],
    ["has another form at a store that uses MD5", [own, `${other.slice(0, -1)}-1"`]],
    ["is another digest at a store that may not use MD5", [other]],
    ["is another digest at a store that does not use MD5", [other, other, other, own, other]]
  ])("is accepted if it %s", (_, answers) => {
    expect(last(...answers)).toBeUndefined()
  })

  it.each([
    [
      "is another digest at a store that uses MD5",
      [own, other],
      /^MD5 of what was sent is \w+, of what was stored \w+$/
    ],
    ["is another digest at a store that uses MD5 in most answers", [other, other, own, other], /^MD5 of/],
    ["is the digest of no bytes", [empty], /an empty body/],
    ["is the digest of no bytes at a store that does not use MD5", [other, other, other, empty], /an empty body/]
  ])("is wrong if it %s", (_, answers, difference) => {
    expect(last(...answers)).toMatch(difference)
  })

  it("may be the digest of no bytes if the body has none", () => {
    expect(Etags.make().mismatch(empty, Buffer.alloc(0))).toBeUndefined()
  })
})
