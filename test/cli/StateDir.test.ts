import { describe, expect, it } from "@effect/vitest"
import { homedir } from "node:os"
import { join } from "node:path"
import * as StateDir from "../../src/cli/StateDir.ts"

describe("the state directory", () => {
  it.each([
    [{ XDG_STATE_HOME: "/var/state" }, "/var/state/ibsr-export"],
    [{ STATE_DIRECTORY: "/var/lib/ibsr-export", XDG_STATE_HOME: "/var/state" }, "/var/lib/ibsr-export"],
    [{ STATE_DIRECTORY: "/var/lib/first:/var/lib/second" }, "/var/lib/first"],
    [{ XDG_STATE_HOME: "relative" }, join(homedir(), ".local/state/ibsr-export")],
    [{ XDG_STATE_HOME: "" }, join(homedir(), ".local/state/ibsr-export")],
    [{}, join(homedir(), ".local/state/ibsr-export")]
  ])("defaults, in the environment %j, to %s", (env, expected) => {
    expect(StateDir.fallback(env)).toBe(expected)
  })

  it.each([
    ["root, and the service has a ledger", {}, true, true, "/var/lib/ibsr-export"],
    ["root without a ledger of the service", { XDG_STATE_HOME: "/x" }, true, false, "/x/ibsr-export"],
    ["root in a unit", { STATE_DIRECTORY: "/var/lib/other" }, true, true, "/var/lib/other"],
    ["another user", { XDG_STATE_HOME: "/x" }, false, true, "/x/ibsr-export"]
  ])("of status, for %s", (_, env, isRoot, hasLedger, expected) => {
    expect(StateDir.ofStatus(env, isRoot, (directory) => hasLedger && directory === "/var/lib/ibsr-export")).toBe(
      expected
    )
  })
})
