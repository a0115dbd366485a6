import { describe, expect, it } from "@effect/vitest"
import type { ExportError } from "../../src/domain/Errors.ts"
import * as ExitCode from "../../src/domain/ExitCode.ts"

type Tag = ExportError["_tag"]

describe("the exit code of a run", () => {
  const rows: ReadonlyArray<
    readonly [title: string, name: string, code: number, failed: ReadonlyArray<Tag>, end?: Partial<ExitCode.RunEnd>]
  > = [
    ["no failures", "ok", 0, []],
    ["failures of one class", "access-denied", 22, ["AccessDenied"]],
    ["a file that cannot be read", "source-unreadable", 41, ["SourceUnreadable"]],
    ["failures of two classes", "mixed", 12, ["NetworkFailure", "StoreUnavailable"]],
    ["failures of three classes", "mixed", 12, ["NetworkFailure", "StoreUnavailable", "ObjectExists"]],
    ["a failure that ended the run", "deadline", 33, [], { endedBy: "DeadlineExceeded" }],
    ["a failure that ended the run, and one other failure", "tls", 31, ["NetworkFailure"], { endedBy: "TlsFailure" }],
    [
      "a failure that ended the run, and several other failures",
      "bucket",
      23,
      ["NetworkFailure", "AccessDenied"],
      { endedBy: "BucketUnusable" }
    ],
    ["an empty selection", "nothing-selected", 42, [], { endedBy: "NothingSelected" }],
    ["a collector that writes nothing", "stale", 45, [], { endedBy: "Stale" }],
    ["something missing for verify", "incomplete", 43, [], { endedBy: "Incomplete" }],
    ["a damaged object for verify", "corrupt", 44, [], { endedBy: "Corrupt" }],
    ["bytes in doubt", "integrity", 40, ["IntegrityFailure"]],
    ["bytes in doubt, and other failures", "integrity", 40, ["NetworkFailure", "IntegrityFailure"]],
    [
      "bytes in doubt, and a failure that ended the run",
      "integrity",
      40,
      ["IntegrityFailure"],
      { endedBy: "DeadlineExceeded" }
    ],
    ["an unusable ledger, and bytes in doubt", "state", 51, ["StateUnusable", "IntegrityFailure"]],
    [
      "an unusable ledger, and a failure that ended the run",
      "state",
      51,
      ["StateUnusable"],
      { endedBy: "DeadlineExceeded" }
    ],
    ["a signal, and an unusable ledger", "interrupted", 143, [], { signal: "SIGTERM", endedBy: "StateUnusable" }],
    ["SIGHUP", "interrupted", 129, [], { signal: "SIGHUP" }],
    ["SIGINT", "interrupted", 130, [], { signal: "SIGINT" }],
    ["SIGTERM", "interrupted", 143, [], { signal: "SIGTERM" }],
    ["a signal, and failures", "interrupted", 143, ["NetworkFailure", "AccessDenied"], { signal: "SIGTERM" }],
    ["a signal, and bytes in doubt", "interrupted", 143, ["IntegrityFailure"], { signal: "SIGTERM" }],
    [
      "a signal, and a failure that ended the run",
      "interrupted",
      130,
      [],
      { signal: "SIGINT", endedBy: "DeadlineExceeded" }
    ],
    ["a defect in one file", "internal", 70, ["InternalError"]],
    ["a defect, and other failures", "internal", 70, ["NetworkFailure", "InternalError"]],
    ["a defect, and bytes in doubt", "internal", 70, ["IntegrityFailure", "InternalError"]],
    ["a defect, and a signal", "internal", 70, ["InternalError"], { signal: "SIGTERM" }],
    ["a defect that ended the run, and a signal", "internal", 70, [], { signal: "SIGTERM", endedBy: "InternalError" }]
  ]

  const table = rows.map(([title, name, code, failed, end = {}]) => [title, name, code, failed, end] as const)

  it.each(table)("after %s is %s (%d)", (_, name, code, failed, end) => {
    const exit = ExitCode.of({ ...end, failed: new Set(failed) })
    expect([exit.name, exit.code]).toEqual([name, code])
  })

  it.each(Object.entries(ExitCode.ofError))("is the same whether %s affected one file or ended the run", (tag, row) => {
    expect(ExitCode.of({ failed: new Set([tag as Tag]) })).toBe(row)
    expect(ExitCode.of({ endedBy: tag as Tag, failed: new Set() })).toBe(row)
  })
})

describe("ExitCode.table", () => {
  const codes = ExitCode.table.map(({ code }) => code)

  it("has a row for success, for mixed failures, for each class and for each signal", () => {
    expect(ExitCode.table).toHaveLength(
      2 + Object.keys(ExitCode.ofError).length + Object.keys(ExitCode.ofSignal).length
    )
  })

  it("is sorted by code and has each code once", () => {
    expect(codes).toEqual([...new Set(codes)].sort((a, b) => a - b))
  })

  it.each([
    ["1, which Node exits with when it crashes", 1, 1],
    ["2 to 7, which systemd labels", 2, 7],
    ["64 to 69, of sysexits", 64, 69],
    ["71 to 78, of sysexits", 71, 78],
    ["126 to 128, of shells", 126, 128]
  ])("omits %s", (_, from, to) => {
    expect(codes.filter((code) => code >= from && code <= to)).toEqual([])
  })

  it("has only codes that a process can exit with", () => {
    expect(codes.filter((code) => !Number.isInteger(code) || code < 0 || code > 255)).toEqual([])
  })

  it("has a unique name for each failure", () => {
    const names = ExitCode.table.filter(({ name }) => name !== "interrupted").map(({ name }) => name)
    expect(names).toEqual([...new Set(names)])
  })

  it("has names that monitoring can use unchanged", () => {
    expect(ExitCode.table.filter(({ name }) => !/^[a-z]+(?:-[a-z]+)*$/.test(name))).toEqual([])
  })

  it.each([
    ["SIGHUP", 1],
    ["SIGINT", 2],
    ["SIGTERM", 15]
  ] as const)("has 128 plus the signal's number for %s", (signal, number) => {
    expect(ExitCode.ofSignal[signal].code).toBe(128 + number)
  })
})
