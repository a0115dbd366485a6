import { describe, expect, it } from "@effect/vitest"
import type { ExportError } from "../../src/domain/Errors.ts"
import * as ExitCode from "../../src/domain/ExitCode.ts"

type Tag = ExportError["_tag"]

describe("of", () => {
  const rows: ReadonlyArray<
    readonly [title: string, name: string, code: number, failed: ReadonlyArray<Tag>, ending?: Partial<ExitCode.RunEnd>]
  > = [
    ["a run without failures", "ok", 0, []],
    ["failures of one class", "access-denied", 22, ["AccessDenied"]],
    ["a file that cannot be read", "source-unreadable", 41, ["SourceUnreadable"]],
    ["failures of two classes", "mixed", 12, ["NetworkFailure", "StoreUnavailable"]],
    ["failures of three classes", "mixed", 12, ["NetworkFailure", "StoreUnavailable", "ObjectExists"]],
    ["what ended the run", "deadline", 33, [], { endedBy: "DeadlineExceeded" }],
    ["what ended the run, before other failures", "tls", 31, ["NetworkFailure"], { endedBy: "TlsFailure" }],
    [
      "what ended the run, before several",
      "bucket",
      23,
      ["NetworkFailure", "AccessDenied"],
      { endedBy: "BucketUnusable" }
    ],
    ["nothing selected", "nothing-selected", 42, [], { endedBy: "NothingSelected" }],
    ["bytes in doubt", "integrity", 40, ["IntegrityFailure"]],
    ["bytes in doubt, before other failures", "integrity", 40, ["NetworkFailure", "IntegrityFailure"]],
    [
      "bytes in doubt, before what ended the run",
      "integrity",
      40,
      ["IntegrityFailure"],
      { endedBy: "DeadlineExceeded" }
    ],
    ["the ledger, before bytes in doubt", "state", 51, ["StateUnusable", "IntegrityFailure"]],
    ["the ledger, before what ended the run", "state", 51, ["StateUnusable"], { endedBy: "DeadlineExceeded" }],
    ["a signal, before the ledger", "interrupted", 143, [], { signal: "SIGTERM", endedBy: "StateUnusable" }],
    ["SIGHUP", "interrupted", 129, [], { signal: "SIGHUP" }],
    ["SIGINT", "interrupted", 130, [], { signal: "SIGINT" }],
    ["SIGTERM", "interrupted", 143, [], { signal: "SIGTERM" }],
    ["a signal, before failures", "interrupted", 143, ["NetworkFailure", "AccessDenied"], { signal: "SIGTERM" }],
    ["a signal, before bytes in doubt", "interrupted", 143, ["IntegrityFailure"], { signal: "SIGTERM" }],
    ["a signal, before what ended the run", "interrupted", 130, [], { signal: "SIGINT", endedBy: "DeadlineExceeded" }],
    ["a defect in one file", "internal", 70, ["InternalError"]],
    ["a defect, before other failures", "internal", 70, ["NetworkFailure", "InternalError"]],
    ["a defect, before bytes in doubt", "internal", 70, ["IntegrityFailure", "InternalError"]],
    ["a defect, before a signal", "internal", 70, ["InternalError"], { signal: "SIGTERM" }],
    [
      "a defect that ended the run, before a signal",
      "internal",
      70,
      [],
      { signal: "SIGTERM", endedBy: "InternalError" }
    ]
  ]

  const table = rows.map(([title, name, code, failed, ending = {}]) => [title, name, code, failed, ending] as const)

  it.each(table)("tells of %s: %s (%d)", (_, name, code, failed, ending) => {
    const exit = ExitCode.of({ ...ending, failed: new Set(failed) })
    expect([exit.name, exit.code]).toEqual([name, code])
  })

  it.each(Object.entries(ExitCode.ofError))(
    "gives %s the same code in one file as at the end of the run",
    (tag, row) => {
      expect(ExitCode.of({ failed: new Set([tag as Tag]) })).toBe(row)
      expect(ExitCode.of({ endedBy: tag as Tag, failed: new Set() })).toBe(row)
    }
  )
})

describe("table", () => {
  const codes = ExitCode.table.map(({ code }) => code)

  it("has a row for success, for mixed failures, for each class and for each signal", () => {
    expect(ExitCode.table).toHaveLength(
      2 + Object.keys(ExitCode.ofError).length + Object.keys(ExitCode.ofSignal).length
    )
  })

  it("is sorted by code, each of which it has once", () => {
    expect(codes).toEqual([...new Set(codes)].sort((a, b) => a - b))
  })

  it.each([
    ["1, of a crash of Node", 1, 1],
    ["2 to 7, which systemd labels", 2, 7],
    ["64 to 69, of sysexits", 64, 69],
    ["71 to 78, of sysexits", 71, 78],
    ["126 to 128, of shells", 126, 128]
  ])("leaves out %s", (_, from, to) => {
    expect(codes.filter((code) => code >= from && code <= to)).toEqual([])
  })

  it("has only codes that a process can exit with", () => {
    expect(codes.filter((code) => !Number.isInteger(code) || code < 0 || code > 255)).toEqual([])
  })

  it("has a name for each failure that no other has", () => {
    const names = ExitCode.table.filter(({ name }) => name !== "interrupted").map(({ name }) => name)
    expect(names).toEqual([...new Set(names)])
  })

  it("has names that monitoring can use as they are", () => {
    expect(ExitCode.table.filter(({ name }) => !/^[a-z]+(?:-[a-z]+)*$/.test(name))).toEqual([])
  })

  it.each([
    ["SIGHUP", 1],
    ["SIGINT", 2],
    ["SIGTERM", 15]
  ] as const)("has 128 and its number for %s", (signal, number) => {
    expect(ExitCode.ofSignal[signal].code).toBe(128 + number)
  })
})
