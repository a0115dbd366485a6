import { describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import * as Size from "../../src/domain/Size.ts"

describe("Size.parse", () => {
  it.each([
    ["0", 0],
    ["8388608", 8_388_608],
    ["12B", 12],
    ["8K", 8192],
    ["8KiB", 8192],
    ["8KB", 8000],
    ["8M", 8_388_608],
    ["8MiB", 8_388_608],
    ["8mib", 8_388_608],
    ["8 MiB", 8_388_608],
    ["8MB", 8_000_000],
    ["5G", 5_368_709_120],
    ["5GiB", 5_368_709_120],
    ["5GB", 5_000_000_000],
    ["007K", 7168]
  ])("reads %j as %d bytes", (text, bytes) => {
    expect(Size.parse(text)).toEqual(Either.right(bytes))
  })

  it.each([
    ["an empty string", ""],
    ["a unit alone", "MiB"],
    ["a fraction", "1.5MiB"],
    ["a negative number", "-1"],
    ["an exponent", "1e6"],
    ["an unknown unit", "8XB"],
    ["a unit that is the name of an object property", "8constructor"],
    ["outer spaces", " 8MiB"],
    ["two spaces before the unit", "8  MiB"],
    ["hexadecimal", "0x10"],
    ["a comma", "1,000"],
    ["digits of other scripts", "٨MiB"],
    ["more bytes than a number can represent exactly", "9007199254740993"],
    ["more bytes than that because of the unit", "999999999999999G"]
  ])("refuses %s", (_, text) => {
    expect(Size.parse(text)).toEqual(Either.left("a size such as 8MiB, 64M or 500KB"))
  })
})

describe("Size.format", () => {
  it.each([
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [1250, "1.3 kB"],
    [999_949, "999.9 kB"],
    [999_950, "1.0 MB"],
    [1_234_567, "1.2 MB"],
    [8_388_608, "8.4 MB"],
    [5_000_000_000, "5.0 GB"],
    [5e12, "5.0 TB"],
    [Number.MAX_SAFE_INTEGER, "9.0 PB"],
    [5e18, "5000.0 PB"]
  ])("shows %d as %s", (bytes, text) => {
    expect(Size.format(bytes)).toBe(text)
  })
})
