import { describe, expect, it } from "@effect/vitest"
import { current, parse } from "../../src/domain/RunDirectory.ts"

describe("RunDirectory.parse", () => {
  it.each([
    ["ibsr-20261122-141500Z", "snapshots", "2026-11-22T14:15:00Z"],
    ["ibsr-payload-20261122-141501Z", "payload", "2026-11-22T14:15:01Z"],
    ["ibsr-20280229-235959Z", "snapshots", "2028-02-29T23:59:59Z"],
    ["ibsr-19991231-000000Z", "snapshots", "1999-12-31T00:00:00Z"]
  ])("reads %s as the directory of a collector of %s that started at %s", (name, kind, startedAt) => {
    expect(parse(name)).toEqual({ kind, startedAt: Date.parse(startedAt) })
  })

  it.each([
    "ibsr-20261122-141500",
    "ibsr-20261122-1415Z",
    "ibsr-20261122T141500Z",
    "IBSR-20261122-141500Z",
    "ibsr-20261122-141500Z.old",
    "old-ibsr-20261122-141500Z",
    "ibsr-other-20261122-141500Z",
    "ibsr-payload-payload-20261122-141500Z",
    "a/ibsr-20261122-141500Z",
    "ibsr-20261122-141500Z/",
    "ibsr-20261122-141500Z\n",
    "snapshot_2026112214.jsonl",
    "snapshots",
    "",
    // these times do not exist
    "ibsr-20261322-141500Z",
    "ibsr-20260022-141500Z",
    "ibsr-20260230-141500Z",
    "ibsr-20270229-141500Z",
    "ibsr-20261122-241500Z",
    "ibsr-20261122-240000Z",
    "ibsr-20261122-146000Z",
    "ibsr-20261122-141560Z"
  ])("ignores %j", (name) => {
    expect(parse(name)).toBeUndefined()
  })
})

describe("RunDirectory.current", () => {
  it.each([
    ["from an empty list", [], []],
    ["from names without a run directory", ["snapshots", "ibsr-20261322-141500Z"], []],
    ["from one name", ["ibsr-20261122-141500Z"], [["snapshots", "ibsr-20261122-141500Z"]]],
    [
      "from several names in any order",
      ["ibsr-20261122-141500Z", "ibsr-20261123-000000Z", "ibsr-20261122-235959Z", "lost+found"],
      [["snapshots", "ibsr-20261123-000000Z"]]
    ],
    [
      "from names of both kinds",
      [
        "ibsr-payload-20261124-000000Z",
        "ibsr-20261122-141500Z",
        "ibsr-20261123-000000Z",
        "ibsr-payload-20261121-000000Z"
      ],
      [
        ["snapshots", "ibsr-20261123-000000Z"],
        ["payload", "ibsr-payload-20261124-000000Z"]
      ]
    ],
    ["from payload directories only", ["ibsr-payload-20261121-000000Z"], [["payload", "ibsr-payload-20261121-000000Z"]]]
  ])("returns the newest run directory of each kind: %s", (_, names, expected) => {
    const found = current(names)
    expect([...found].toSorted()).toEqual(expected.toSorted())
  })
})
