/** What becomes of a request on its way there, or of an answer on its way back. */
import type { Fault } from "../../fakes/StrictS3.ts"
import { always, once, type FaultCase } from "./FaultCase.ts"

interface Break {
  readonly name: string
  readonly fault: Fault
  readonly exit: number
  readonly hint: RegExp
  /** The store has the object though the program cannot know. */
  readonly stored?: boolean
  /** Only noticed when its time is over. */
  readonly silent?: boolean
  /** Played a second time, where it strikes once: one of each kind will do. */
  readonly passes?: boolean
  readonly file?: "large"
}

const way = /--endpoint/
const slow = /--timeout/

const breaks: ReadonlyArray<Break> = [
  { name: "a reset before anything is read", fault: { kind: "reset" }, exit: 30, hint: way },
  {
    name: "a reset in the body",
    file: "large",
    passes: true,
    fault: { kind: "reset", afterBytes: 1_000_000 },
    exit: 30,
    hint: way
  },
  {
    name: "a reset in the answer",
    fault: { kind: "cut-answer", end: 60, by: "reset" },
    exit: 30,
    hint: way,
    stored: true
  },
  {
    name: "an answer lost to a reset",
    passes: true,
    fault: { kind: "cut-answer", end: 0, by: "reset" },
    exit: 30,
    hint: way,
    stored: true
  },
  {
    name: "an answer lost to a close",
    fault: { kind: "cut-answer", end: 0, by: "close" },
    exit: 30,
    hint: way,
    stored: true
  },
  {
    name: "an answer that ends in its head",
    fault: { kind: "cut-answer", end: 60, by: "close" },
    exit: 30,
    hint: way,
    stored: true
  },
  {
    name: "an answer that ends in its document",
    passes: true,
    fault: { kind: "cut-answer", end: -20, by: "close", answer: { status: 500, code: "InternalError" } },
    exit: 32,
    hint: /next run/
  },
  {
    name: "an answer without an ETag",
    passes: true,
    fault: { kind: "missing-etag" },
    exit: 30,
    hint: way,
    stored: true
  },
  {
    name: "an answer with a wrong checksum",
    passes: true,
    fault: { kind: "wrong-checksum" },
    exit: 40,
    hint: /changes bytes/,
    stored: true
  },
  { name: "silence", passes: true, fault: { kind: "hang" }, exit: 30, hint: slow, silent: true },
  {
    name: "silence in the body",
    file: "large",
    passes: true,
    fault: { kind: "stall", afterBytes: 1_000_000 },
    exit: 30,
    hint: slow,
    silent: true
  },
  {
    name: "an answer lost to silence",
    passes: true,
    fault: { kind: "cut-answer", end: 0, by: "silence" },
    exit: 30,
    hint: slow,
    silent: true,
    stored: true
  },
  {
    name: "silence in the head of an answer",
    fault: { kind: "cut-answer", end: 60, by: "silence" },
    exit: 30,
    hint: slow,
    silent: true,
    stored: true
  },
  {
    name: "silence in the document of an answer",
    fault: { kind: "cut-answer", end: -20, by: "silence", answer: { status: 500, code: "InternalError" } },
    exit: 30,
    hint: slow,
    silent: true
  },
  {
    name: "an answer that comes byte by byte",
    passes: true,
    fault: { kind: "trickle", msPerByte: 50 },
    exit: 30,
    hint: slow,
    silent: true,
    stored: true
  }
]

/** Time for an attempt that only ends by it. The good one after it must be done in time on a busy machine, too. */
const time = { bad: "700ms", good: "1500ms", ample: "30s" }

export const brokenConnections: ReadonlyArray<FaultCase> = [
  ...breaks.map(({ exit, fault, file, hint, name, silent = false, stored = false }): FaultCase => ({
    name: `${name}, for ever`,
    file,
    strike: always(fault),
    timeout: silent ? time.bad : time.ample,
    attempts: 3,
    exit,
    hint,
    versions: stored ? 3 : 0
  })),
  ...breaks
    .filter(({ passes }) => passes)
    .map(({ fault, file, name, silent = false, stored = false }): FaultCase => ({
      name: `${name}, once`,
      file,
      strike: once(fault),
      timeout: silent ? time.good : time.ample,
      attempts: 2,
      exit: 0,
      versions: stored ? 2 : 1
    }))
]

export const slowAnswers: ReadonlyArray<FaultCase> = [
  { name: "an answer that comes late", strike: always({ kind: "delay", ms: 700 }), attempts: 1, exit: 0 },
  {
    name: "an answer that comes byte by byte, but in time",
    strike: always({ kind: "trickle", msPerByte: 1 }),
    attempts: 1,
    exit: 0
  },
  {
    name: "an answer that is lost where nothing may be overwritten",
    flags: ["--no-overwrite"],
    strike: once({ kind: "cut-answer", end: 0, by: "reset" }),
    attempts: 2,
    exit: 11,
    hint: /this run may have stored it itself/,
    versions: 1
  }
]
