/** Faults of the connection, on a request's way to the store or on the response's way back. */
import type { Fault } from "../../../scripts/strict-s3/StrictS3.ts"
import { always, type FaultCase, once } from "./FaultCase.ts"

interface ConnectionFault {
  /** The noun after "every" or "the first" in a title. */
  readonly what: string
  readonly fault: Fault
  readonly exit: number
  readonly hint: RegExp
  /** Whether the store has the object, although the program cannot know that. */
  readonly stored?: boolean
  /** Whether only the timeout ends the attempt. */
  readonly silent?: boolean
  /** Faults that are also tried in the first attempt alone: one of each kind. */
  readonly alsoOnce?: boolean
  readonly file?: "large"
}

const network = /--endpoint/
const timeout = /--timeout/

const faults: ReadonlyArray<ConnectionFault> = [
  {
    what: "connection is reset before the store reads the request",
    fault: { kind: "reset" },
    exit: 30,
    hint: network
  },
  {
    what: "connection is reset in the body",
    file: "large",
    alsoOnce: true,
    fault: { kind: "reset", afterBytes: 1_000_000 },
    exit: 30,
    hint: network
  },
  {
    what: "response is cut off in its head by a reset",
    fault: { kind: "cut-answer", end: 60, by: "reset" },
    exit: 30,
    hint: network,
    stored: true
  },
  {
    what: "response is lost to a reset",
    alsoOnce: true,
    fault: { kind: "cut-answer", end: 0, by: "reset" },
    exit: 30,
    hint: network,
    stored: true
  },
  {
    what: "response is lost to a close",
    fault: { kind: "cut-answer", end: 0, by: "close" },
    exit: 30,
    hint: network,
    stored: true
  },
  {
    what: "response is cut off in its head by a close",
    fault: { kind: "cut-answer", end: 60, by: "close" },
    exit: 30,
    hint: network,
    stored: true
  },
  {
    what: "response is cut off in its error document by a close",
    alsoOnce: true,
    fault: { kind: "cut-answer", end: -20, by: "close", answer: { status: 500, code: "InternalError" } },
    exit: 32,
    hint: /next run/
  },
  {
    what: "response lacks its ETag",
    alsoOnce: true,
    fault: { kind: "missing-etag" },
    exit: 30,
    hint: network,
    stored: true
  },
  {
    what: "response has a wrong checksum",
    alsoOnce: true,
    fault: { kind: "wrong-checksum" },
    exit: 40,
    hint: /changes bytes/,
    stored: true
  },
  {
    what: "request gets no response",
    alsoOnce: true,
    fault: { kind: "hang" },
    exit: 30,
    hint: timeout,
    silent: true
  },
  {
    what: "request stalls in its body",
    file: "large",
    alsoOnce: true,
    fault: { kind: "stall", afterBytes: 1_000_000 },
    exit: 30,
    hint: timeout,
    silent: true
  },
  {
    what: "response is withheld after the object is stored",
    alsoOnce: true,
    fault: { kind: "cut-answer", end: 0, by: "silence" },
    exit: 30,
    hint: timeout,
    silent: true,
    stored: true
  },
  {
    what: "response stalls in its head",
    fault: { kind: "cut-answer", end: 60, by: "silence" },
    exit: 30,
    hint: timeout,
    silent: true,
    stored: true
  },
  {
    what: "response stalls in its error document",
    fault: { kind: "cut-answer", end: -20, by: "silence", answer: { status: 500, code: "InternalError" } },
    exit: 30,
    hint: timeout,
    silent: true
  },
  {
    what: "response arrives too slowly, byte by byte",
    alsoOnce: true,
    fault: { kind: "trickle", msPerByte: 50 },
    exit: 30,
    hint: timeout,
    silent: true,
    stored: true
  }
]

/** Values of `--timeout`. A silent attempt takes all of it; the good attempt after one needs time on a busy machine. */
const timeouts = { silentAlways: "700ms", silentOnce: "1500ms", notSilent: "30s" }

export const brokenConnections: ReadonlyArray<FaultCase> = [
  ...faults.map(({ exit, fault, file, hint, silent = false, stored = false, what }): FaultCase => ({
    when: `every ${what}`,
    file,
    fault: always(fault),
    timeout: silent ? timeouts.silentAlways : timeouts.notSilent,
    attempts: 3,
    exit,
    hint,
    versions: stored ? 3 : 0
  })),
  ...faults
    .filter(({ alsoOnce }) => alsoOnce)
    .map(({ fault, file, silent = false, stored = false, what }): FaultCase => ({
      when: `the first ${what}`,
      file,
      fault: once(fault),
      timeout: silent ? timeouts.silentOnce : timeouts.notSilent,
      attempts: 2,
      exit: 0,
      versions: stored ? 2 : 1
    })),
  {
    when: "the first response is lost and --no-overwrite forbids a second object",
    flags: ["--no-overwrite"],
    // the first two requests check whether the store honours the condition
    fault: (_, nth) => (nth === 2 ? { kind: "cut-answer", end: 0, by: "reset" } : undefined),
    attempts: 4,
    exit: 11,
    hint: /this run may have stored it itself/,
    versions: 1
  }
]

export const slowAnswers: ReadonlyArray<FaultCase> = [
  { when: "every response arrives 700 ms late", fault: always({ kind: "delay", ms: 700 }), attempts: 1, exit: 0 },
  {
    when: "every response arrives byte by byte, but in time",
    fault: always({ kind: "trickle", msPerByte: 1 }),
    attempts: 1,
    exit: 0
  }
]
