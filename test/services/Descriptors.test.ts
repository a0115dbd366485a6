import { describe, expect, it } from "vitest"
import * as Descriptors from "../../src/services/Descriptors.ts"

const failure = (code: string) => Object.assign(new Error(code), { code })

describe("the use of file descriptors", () => {
  it.each([
    [20, 2],
    [64, 14],
    [128, 46],
    [1024, 494]
  ])("divides %d descriptors into %d for files and as many for connections", (limit, share) => {
    expect(Descriptors.share(limit)).toBe(share)
  })

  it("waits until a descriptor is free", async () => {
    const failures = [failure("EMFILE"), failure("ENFILE")]
    const open = async () => {
      const next = failures.shift()
      if (next !== undefined) throw next
      return "open"
    }
    expect(await Descriptors.patiently(open)).toBe("open")
  })

  it("does not wait after any other failure", async () => {
    let attempts = 0
    const open = async () => {
      attempts++
      throw failure("EACCES")
    }
    await expect(Descriptors.patiently(open)).rejects.toMatchObject({ code: "EACCES" })
    expect(attempts).toBe(1)
  })
})
