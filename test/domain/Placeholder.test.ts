import { describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import * as Placeholder from "../../src/domain/Placeholder.ts"

const template = (text: string) => Either.getOrThrow(Placeholder.parse(text))

describe("Placeholder.parse", () => {
  it.each([
    ["ibsr/{hostname}/snapshots", "ibsr/{hostname}/snapshots"],
    ["/{machine-id}/", "{machine-id}"],
    ["{instance-id}-{hostname}", "{instance-id}-{hostname}"],
    ["/", ""],
    ["a b/ü", "a b/ü"]
  ])("reads %j as %j", (text, read) => {
    expect(Placeholder.parse(text)).toEqual(Either.right(read))
  })

  it.each([
    ["an unknown placeholder", "ibsr/{host}/snapshots", "{hostname}, {machine-id} and {instance-id}"],
    ["a placeholder in capital letters", "{Hostname}", "{hostname}"],
    ["an empty placeholder", "a/{}", "only braces"],
    ["a placeholder that is not closed", "ibsr/{hostname/snapshots", "only braces"],
    ["a placeholder in a placeholder", "{{hostname}}", "only braces"],
    ["the documentation's placeholder", "ibsr/<host-id>/snapshots", "without <host-id> (replace the placeholder"],
    ["an empty segment beside a placeholder", "a//{hostname}", "empty segments"],
    ["a segment of dots", "../{hostname}", "'.' and '..'"]
  ])("refuses %s", (_, text, reason) => {
    expect(Either.flip(Placeholder.parse(text))).toEqual(Either.right(expect.stringContaining(reason)))
  })
})

describe("Placeholder.leftOver", () => {
  it.each([
    ["<customer-bucket-name>", "<customer-bucket-name>"],
    ["ibsr/<host-id>/x", "<host-id>"],
    ["a<b", undefined],
    ["b>a<c", undefined]
  ])("given %j, returns the placeholder that was copied from documentation: %s", (text, literal) => {
    expect(Placeholder.leftOver(text)).toBe(literal)
  })
})

describe("Placeholder.usedIn", () => {
  it("names each placeholder once", () => {
    expect(Placeholder.usedIn(template("{hostname}/{machine-id}/{hostname}"))).toEqual(["hostname", "machine-id"])
    expect(Placeholder.usedIn(template("ibsr/host-17"))).toEqual([])
  })
})

describe("Placeholder.fill", () => {
  const values = { hostname: "h1", "machine-id": "{hostname}", "instance-id": "i-1" }

  it("replaces each placeholder, but not within a replacement", () => {
    const filled = Placeholder.fill(template("{hostname}/{machine-id}/{instance-id}-{hostname}"), values)
    expect(filled).toEqual(Either.right("h1/{hostname}/i-1-h1"))
  })

  it.each(["..", ".", "", "a//b", "\uFFFD"])("refuses the name %j", (hostname) => {
    expect(Either.isLeft(Placeholder.fill(template("ibsr/{hostname}/x"), { hostname }))).toBe(true)
  })
})

describe("Placeholder.isOwnHostname", () => {
  it.each([
    ["host-17", true],
    ["localhost-17", true],
    ["web.localhost.example", true],
    ["localhost", false],
    ["LOCALHOST", false],
    ["localhost.localdomain", false],
    ["(none)", false],
    ["", false]
  ])("given %j, returns %s", (hostname, isOwn) => {
    expect(Placeholder.isOwnHostname(hostname)).toBe(isOwn)
  })
})
