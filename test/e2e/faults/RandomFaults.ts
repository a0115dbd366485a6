/** Random faults that depend on the seed and the key alone, not on the order in which requests arrive. */
import { crc32 } from "node:zlib"
import type { Fault, RecordedRequest } from "../../../scripts/strict-s3/StrictS3.ts"
import { type Random, seeded } from "../../../scripts/simulate/Random.ts"

type MakeFault = (random: Random) => Fault

const html = { "content-type": "text/html" }

const silences: ReadonlyArray<MakeFault> = [
  () => ({ kind: "hang" }),
  (random) => ({ kind: "stall", afterBytes: random.below(3000) }),
  (random) => ({ kind: "cut-answer", end: random.below(200), by: "silence" })
]

/** Faults that every attempt fails with, as when the store or the network is down. The next attempt may succeed. */
const outages: Readonly<Record<string, MakeFault>> = {
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
  // one entry for all silent faults, because each costs a whole timeout
  silence: (random) => silences[random.below(silences.length)]!(random)
}

/** Faults of a store that receives or stores the wrong bytes. The next attempt may succeed. */
const corruptions: Readonly<Record<string, MakeFault>> = {
  badDigest: () => ({ kind: "answer", status: 400, code: "BadDigest" }),
  wrongChecksum: () => ({ kind: "wrong-checksum" })
}

/** Faults that an attempt survives. */
const delays: Readonly<Record<string, MakeFault>> = {
  delay: (random) => ({ kind: "delay", ms: random.below(400) }),
  trickle: () => ({ kind: "trickle", msPerByte: 1 })
}

export interface RandomFaults {
  readonly faults: (request: RecordedRequest) => Fault | undefined
  /** How often each fault has occurred, by name. */
  readonly counts: ReadonlyMap<string, number>
  /** The number of faults of a key after which the object is or may be stored. */
  readonly afterStoring: (key: string) => number
}

const mayStore = (fault: Fault) =>
  ["cut-answer", "wrong-checksum", "missing-etag", "delay", "trickle"].includes(fault.kind)

/** Disturbs this share of the requests. A share of 1 is an outage: every attempt fails. */
export const randomFaults = (seed: number, share: number): RandomFaults => {
  const kinds = Object.entries(share < 1 ? { ...outages, ...corruptions, ...delays } : outages)
  const attempts = new Map<string, number>()
  const afterStoring = new Map<string, number>()
  const counts = new Map(kinds.map(([name]) => [name, 0]))
  const increment = (map: Map<string, number>, name: string) => map.set(name, (map.get(name) ?? 0) + 1)
  return {
    counts,
    afterStoring: (key) => afterStoring.get(key) ?? 0,
    faults: ({ key = "" }) => {
      increment(attempts, key)
      const random = seeded(seed + crc32(`${key} ${attempts.get(key)}`))
      if (!random.chance(share)) return undefined
      const [name, makeFault] = kinds[random.below(kinds.length)]!
      increment(counts, name)
      const fault = makeFault(random)
      if (mayStore(fault)) increment(afterStoring, key)
      return fault
    }
  }
}
