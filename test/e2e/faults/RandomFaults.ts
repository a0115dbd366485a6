/** Faults at random, the same for the same seed whatever the order in which requests arrive. */
import { crc32 } from "node:zlib"
import type { Fault, RecordedRequest } from "../../fakes/StrictS3.ts"
import { type Random, seeded } from "../../fixtures/Random.ts"

type Kind = (random: Random) => Fault

const html = { "content-type": "text/html" }

const silences: ReadonlyArray<Kind> = [
  () => ({ kind: "hang" }),
  (random) => ({ kind: "stall", afterBytes: random.below(3000) }),
  (random) => ({ kind: "cut-answer", end: random.below(200), by: "silence" })
]

/** A store or a line that is in no state to take anything. No attempt survives it; the next may. */
const foul: Readonly<Record<string, Kind>> = {
  slowDown: () => ({ kind: "answer", status: 503, code: "SlowDown" }),
  internalError: () => ({ kind: "answer", status: 500, code: "InternalError" }),
  internalErrorUnder200: () => ({ kind: "answer", status: 200, code: "InternalError" }),
  tooMany: () => ({ kind: "answer", status: 429, body: "" }),
  badGateway: () => ({ kind: "answer", status: 502, headers: html, body: "<html>Bad Gateway</html>" }),
  loginPage: () => ({ kind: "answer", status: 200, headers: html, body: "<html>Login</html>" }),
  requestTimeout: () => ({ kind: "answer", status: 400, code: "RequestTimeout" }),
  earlyAnswer: () => ({ kind: "early-answer", status: 503, code: "SlowDown" }),
  reset: () => ({ kind: "reset" }),
  resetInBody: (random) => ({ kind: "reset", afterBytes: random.below(3000) }),
  answerReset: (random) => ({ kind: "cut-answer", end: random.below(200), by: "reset" }),
  answerClosed: (random) => ({ kind: "cut-answer", end: random.below(200), by: "close" }),
  missingEtag: () => ({ kind: "missing-etag" }),
  // one kind, because each costs a whole time-out
  silence: (random) => silences[random.below(silences.length)]!(random)
}

/** A store that works, but not on the right bytes. The next attempt may have better luck. */
const doubtful: Readonly<Record<string, Kind>> = {
  badDigest: () => ({ kind: "answer", status: 400, code: "BadDigest" }),
  wrongChecksum: () => ({ kind: "wrong-checksum" })
}

/** What an attempt survives. */
const bad: Readonly<Record<string, Kind>> = {
  delay: (random) => ({ kind: "delay", ms: random.below(400) }),
  trickle: () => ({ kind: "trickle", msPerByte: 1 })
}

export interface RandomFaults {
  readonly faults: (request: RecordedRequest) => Fault | undefined
  /** How often each kind has struck. */
  readonly struck: ReadonlyMap<string, number>
  /** Faults that struck a key when the object was, or may have been, stored. */
  readonly afterStoring: (key: string) => number
}

const stores = (fault: Fault) =>
  ["cut-answer", "wrong-checksum", "missing-etag", "delay", "trickle"].includes(fault.kind)

/** Strikes such a share of the requests; if all, then as a store does that is down. */
export const randomFaults = (seed: number, share: number): RandomFaults => {
  const kinds = Object.entries(share < 1 ? { ...foul, ...doubtful, ...bad } : foul)
  const attempts = new Map<string, number>()
  const afterStoring = new Map<string, number>()
  const struck = new Map(kinds.map(([name]) => [name, 0]))
  const count = (counts: Map<string, number>, what: string) => counts.set(what, (counts.get(what) ?? 0) + 1)
  return {
    struck,
    afterStoring: (key) => afterStoring.get(key) ?? 0,
    faults: ({ key = "" }) => {
      count(attempts, key)
      const random = seeded(seed + crc32(`${key} ${attempts.get(key)}`))
      if (!random.chance(share)) return undefined
      const [name, kind] = kinds[random.below(kinds.length)]!
      count(struck, name)
      const fault = kind(random)
      if (stores(fault)) count(afterStoring, key)
      return fault
    }
  }
}
