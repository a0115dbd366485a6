import { describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import * as Values from "../../../src/cli/flags/Values.ts"
import * as Size from "../../../src/domain/Size.ts"

const refusal = <A>(parsed: Either.Either<A, string>) => Either.getOrThrow(Either.flip(parsed))

describe("Values.headerText", () => {
  it.each(["a", "  a b  ", "日本", "-"])("accepts %j unchanged", (text) => {
    expect(Values.headerText(text)).toEqual(Either.right(text))
  })

  it.each([" ", "a\nb", "a\r\nx-amz-acl: public-read", "\u0000"])("refuses %j, which no header can carry", (text) => {
    expect(refusal(Values.headerText(text))).toBe("text without control characters")
    expect(Values.directory(text)).toEqual(Either.right(text))
  })
})

describe("Values.region", () => {
  it.each(["eu-central-1", "auto", "RegionOne"])("accepts %j", (text) => {
    expect(Values.region(text)).toEqual(Either.right(text))
  })

  it.each(["us-east-1\n", "us-east-1 ", '"us-east-1"', "-", "us_east", "eu-cöntral-1"])("refuses %j", (text) => {
    expect(refusal(Values.region(text))).toBe("a region such as eu-central-1")
  })
})

describe("Values.integer", () => {
  it.each([
    ["1", 1],
    ["32", 32],
    ["1024", 1024],
    ["007", 7]
  ])("reads %j as %d", (text, number) => {
    expect(Values.integer(1, 1024)(text)).toEqual(Either.right(number))
  })

  it.each(["0", "1025", "-1", "+1", "1.0", "1e2", "0x10", " 1", "1 ", "", "many", "NaN", "٣", "9".repeat(16)])(
    "refuses %j and names the range",
    (text) => {
      expect(Values.integer(1, 1024)(text)).toEqual(Either.left("an integer from 1 to 1024"))
    }
  )

  it("accepts 0 if the range includes it", () => {
    expect(Values.integer(0, 100)("0")).toEqual(Either.right(0))
  })
})

describe("Values.choice", () => {
  const choice = Values.choice("none", "s3", "kms")

  it.each(["none", "s3", "kms"] as const)("accepts %s", (text) => {
    expect(choice(text)).toEqual(Either.right(text))
  })

  it.each(["S3", "s", "", " s3", "constructor"])("refuses %j and names the choices", (text) => {
    expect(choice(text)).toEqual(Either.left("one of none, s3, kms"))
  })
})

describe("Values.atLeast", () => {
  const size = Values.atLeast(5 * 1024 ** 2, "5MiB", Size.parse)

  it("accepts the minimum", () => {
    expect(size("5MiB")).toEqual(Either.right(5_242_880))
  })

  it("refuses a smaller value", () => {
    expect(size("5242879")).toEqual(Either.left("at least 5MiB"))
  })

  it("returns the error of the inner parser", () => {
    expect(size("much")).toEqual(Size.parse("much"))
    expect(refusal(size("much"))).toContain("a size")
  })
})

describe("Values.bucket", () => {
  it.each([
    "customer-bucket",
    "my.bucket.1",
    "Old_Bucket",
    "arn:aws:s3:eu-central-1:123456789012:accesspoint/ap",
    "arn:aws:s3::123456789012:accesspoint/multi.mrap"
  ])("accepts %s", (text) => {
    expect(Values.bucket(text)).toEqual(Either.right(text))
  })

  it.each(["s3://bucket", "bucket/prefix", "bucket/", "/bucket", "my bucket", " bucket", "bücket", "arn: x", ""])(
    "refuses %j and explains why",
    (text) => {
      expect(refusal(Values.bucket(text))).toContain("without s3:// and without a path")
    }
  )
})

describe("Values.tag", () => {
  it.each([
    ["a pair", "a=b", "a", "b"],
    ["an empty value", "a=", "a", ""],
    ["= in the value", "a=b=c", "a", "b=c"],
    ["spaces and letters beyond ASCII", "Kunde Süd=ja nein", "Kunde Süd", "ja nein"],
    ["the longest key and value", `${"k".repeat(128)}=${"v".repeat(256)}`, "k".repeat(128), "v".repeat(256)]
  ])("reads %s", (_, text, key, value) => {
    expect(Values.tag(text)).toEqual(Either.right([key, value]))
  })

  it.each([
    ["no =", "a"],
    ["no key", "=b"],
    ["nothing", ""],
    ["a key of 129 characters", `${"k".repeat(129)}=v`],
    ["a value of 257 characters", `k=${"v".repeat(257)}`]
  ])("refuses %s", (_, text) => {
    expect(refusal(Values.tag(text))).toContain("KEY=VALUE")
  })
})

describe("Values.metadata", () => {
  it.each([
    ["host=host-17", "host", "host-17"],
    ["a=b=c", "a", "b=c"],
    ["X_y.z=two words", "X_y.z", "two words"]
  ])("reads %j", (text, key, value) => {
    expect(Values.metadata(text)).toEqual(Either.right([key, value]))
  })

  it.each([
    ["no =", "a"],
    ["no key", "=b"],
    ["a space in the key", "a b=c"],
    ["a colon in the key", "a:b=c"],
    ["a line break in the key", "a\n=c"],
    ["a line break in the value", "a=b\nc: d"],
    ["a line break at the value's end", "a=b\n"],
    ["a value that is not ASCII", "a=ü"],
    ["a key that is not ASCII", "ü=a"],
    ["a leading space in the value, which HTTP strips", "a= b"]
  ])("refuses %s", (_, text) => {
    expect(refusal(Values.metadata(text))).toContain("KEY=VALUE")
  })
})

describe("Values.jsonStrings", () => {
  it.each([
    ["{}", {}],
    [`{"purpose":"ibsr"}`, { purpose: "ibsr" }],
    [` { "a" : "1", "b" : "" } `, { a: "1", b: "" }]
  ])("reads %s", (text, value) => {
    expect(Values.jsonStrings(text)).toEqual(Either.right(value))
  })

  it.each(["", "a=b", "null", "1", `"a"`, "[]", `["a"]`, `{"a":1}`, `{"a":null}`, `{"a":{"b":"c"}}`, `{"a":"b"`])(
    "refuses %j and shows an example",
    (text) => {
      expect(refusal(Values.jsonStrings(text))).toContain(`{"purpose":"ibsr"}`)
    }
  )
})
