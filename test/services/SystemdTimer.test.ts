import { describe, expect, it } from "vitest"
import * as SystemdTimer from "../../src/services/SystemdTimer.ts"

describe("systemd's timer", () => {
  it.each([
    ["/var/lib/ibsr-export", "ibsr-upload"],
    ["/var/lib/ibsr-export/", "ibsr-upload"],
    ["/var/lib/private/ibsr-export", "ibsr-upload"],
    ["/var/lib/ibsr-export-payload", "ibsr-upload-payload"],
    ["/var/lib/ibsr-exports", undefined],
    ["/root/.local/state/ibsr-export", undefined]
  ])("of the ledger in %s is that of %s", (stateDir, unit) => {
    expect(SystemdTimer.unitOf(stateDir)).toBe(unit)
  })

  it.each([
    ["Fri 2026-11-27 19:17:00 UTC\n", "2026-11-27T19:17:00Z"],
    ["Fri 2026-11-27 19:17:00.123456 UTC\n", "2026-11-27T19:17:00Z"],
    ["\n", undefined],
    ["n/a\n", undefined]
  ])("starts the next run at %j", (text, expected) => {
    expect(SystemdTimer.parse(text)).toBe(expected)
  })
})
