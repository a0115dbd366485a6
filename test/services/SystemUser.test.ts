import { userInfo } from "node:os"
import { describe, expect, it } from "vitest"
import { exists } from "../../src/services/SystemUser.ts"

// test/e2e/Units.test.ts covers a user who may not change identity
describe.skipIf(process.seteuid === undefined)("a user", () => {
  it.each([
    ["root", true],
    [userInfo().username, true],
    ["nobody", true],
    ["ibsr-nobody-knows", false]
  ])("%s exists: %s", (name, expected) => {
    const before = [process.getuid?.(), process.geteuid?.()]
    expect(exists(name)).toBe(expected)
    expect([process.getuid?.(), process.geteuid?.()]).toEqual(before)
  })
})
