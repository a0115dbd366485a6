/** Runs a short version of `npm run fuzz`. */
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { type Answer, isRefusal, onTheWire, success } from "../../scripts/fuzz/Mutations.ts"

const seed = process.env["IBSR_TEST_SEED"] ?? "20261128"

/** Runs the fuzzer and returns its output. Rejects if it finds a problem. */
const fuzz = async (...args: ReadonlyArray<string>) =>
  (await promisify(execFile)(process.execPath, ["scripts/fuzz.ts", `--seed=${seed}`, ...args])).stdout

describe(`the built program (seed ${seed})`, () => {
  it.each([
    ["answers of a store", "--answers=300"],
    ["command lines and variables", "--command-lines=20"],
    ["AWS files and variables", "--configurations=20"]
  ])(
    "does not crash, hang, or count unstored files as stored, given random %s",
    { timeout: 300_000 },
    async (_, flag) => {
      expect(await fuzz(flag)).toMatch(/: 0 problems\n$/)
    }
  )
})

describe("a mutated response", () => {
  const changed = (changes: Partial<Answer>) => ({ ...success(Buffer.from("x")), ...changes })
  it.each<readonly [what: string, changes: Partial<Answer>, refuses: boolean]>([
    ["a success", {}, false],
    ["an error", { status: "HTTP/1.1 503 Slow Down" }, true],
    ["an interim answer and a success", { status: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK" }, false],
    ["an interim answer and an error", { status: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 Error" }, true],
    ["a success with a page", { body: "<html>", isBodyWrong: true }, true],
    [
      "a success without content, and a page after it",
      { status: "HTTP/1.1 204 No", body: "<html>", isBodyWrong: true },
      false
    ],
    ["a success with the checksum of other content", { isChecksumWrong: true }, true],
    ["half of a head", { cutAt: 10, isChecksumWrong: true }, false]
  ])("is recognised as a refusal or not: %s", (_, changes, refuses) => {
    expect(isRefusal(changed(changes))).toBe(refuses)
  })

  it("is sent with its length, unless a mutation has changed the framing", () => {
    expect(String(onTheWire(changed({ body: "12345" })))).toMatch(/Content-Length: 5\r\n\r\n12345$/)
    expect(String(onTheWire(changed({ headers: [["Content-Length", "-1"]] })))).toBe(
      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"
    )
  })
})
