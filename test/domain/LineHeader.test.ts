import { describe, expect, it } from "vitest"
import * as LineHeader from "../../src/domain/LineHeader.ts"

const header = (time: number, intervalSeconds?: number, runId?: string) => ({ time, intervalSeconds, runId })

describe("the header of a line", () => {
  it.each([
    [
      `{"version":5,"ts_unix_sec":1790000000,"interval_sec":60,"run_id":"r-1","buckets":[`,
      header(1790000000, 60, "r-1")
    ],
    [`{ "ts_unix_sec" : 1790000000 }`, header(1790000000)],
    [`{"run_id":12345,"interval_sec":0.5,"ts_unix_sec":1}`, header(1, 0.5, "12345")],
    [`{"run_id":"a\\"b","ts_unix_sec":1}`, header(1)],
    [`{"ts_unix_sec":17900`, undefined],
    [`{"ts_unix_sec":-1}`, undefined],
    [`{"ts_unix_sec":"1"}`, undefined],
    ["{}", undefined],
    ["", undefined]
  ])("%s", (text, expected) => {
    expect(LineHeader.parse(text)).toEqual(expected)
  })
})
