/** Plays one row: a fresh store, a fresh directory, the built program once. */
import { createHash } from "node:crypto"
import { expect } from "vitest"
import { StrictS3 } from "../../fakes/StrictS3.ts"
import { tree } from "../../fixtures/Tree.ts"
import { type RunResult, s3, start } from "../BuiltProgram.ts"
import { sessionWriter, sessionWriterNoAbort } from "./Identities.ts"
import type { FakeEndpoint } from "./FakeEndpoints.ts"
import type { FaultCase } from "./FaultCase.ts"

const MiB = 1024 ** 2
const name = "a.jsonl"
const key = `ibsr/host/snapshots/${name}`

const files = {
  small: Buffer.from('{"a":1}\n'),
  // more than 2 MiB: the client asks before it sends
  large: Buffer.alloc(3 * MiB, `{"a":1}\n`),
  parts: Buffer.alloc(6 * MiB, `{"b":2}\n`)
}

export interface Played {
  readonly ended: RunResult
  readonly attempts: number
  readonly operations: Readonly<Record<string, number>>
  /** SHA-256 of all that was ever stored. */
  readonly versions: ReadonlyArray<string>
  readonly open: number
  /** Milliseconds between the first two attempts. */
  readonly pause: number
}

/** A strict store that does what the row says. */
const strict = async ({ store: options, strike }: FaultCase): Promise<StrictS3> => {
  const store = await StrictS3.start({ identities: [sessionWriter, sessionWriterNoAbort], ...options })
  const seen = new Map<string, number>()
  store.fault = (request) => {
    const nth = seen.get(request.operation) ?? 0
    seen.set(request.operation, nth + 1)
    return strike?.(request, nth)
  }
  return store
}

const arrived = (store: StrictS3): Omit<Played, "ended"> => {
  const [first, second] = store.requests
  return {
    attempts: store.requests.length,
    operations: Object.fromEntries(
      [...Map.groupBy(store.requests, ({ operation }) => operation)].map(([name, requests]) => [name, requests.length])
    ),
    versions: store.versions(key).map(({ sha256 }) => sha256),
    open: store.openUploads().length,
    pause: (second?.startedAt ?? Number.NaN) - (first?.endedAt ?? Number.NaN)
  }
}

const unseen = (place: FakeEndpoint, { stderr }: RunResult): Omit<Played, "ended"> => ({
  attempts: place.attempts?.() ?? 1 + [...stderr.matchAll(/ message=retrying /g)].length,
  operations: {},
  versions: [],
  open: 0,
  pause: Number.NaN
})

export const runCase = async (row: FaultCase): Promise<Played> => {
  const place = await (row.place?.() ?? strict(row))
  const { login = sessionWriter, timeout = "30s" } = row
  const flags = ["--verbose", "--max-retries=2", `--timeout=${timeout}`, "--part-size=5MiB", ...(row.flags ?? [])]
  const { child, finished } = start(s3(tree({ [name]: files[row.file ?? "small"] }), place.endpoint, ...flags), {
    env: {
      AWS_ACCESS_KEY_ID: login.accessKeyId,
      AWS_SECRET_ACCESS_KEY: login.secretAccessKey,
      AWS_SESSION_TOKEN: login.sessionToken,
      ...("env" in place && place.env)
    }
  })
  try {
    const result = await finished
    return { ended: result, ...(place instanceof StrictS3 ? arrived(place) : unseen(place, result)) }
  } finally {
    child.kill("SIGKILL")
    await place.stop()
  }
}

const said = ({ stderr, stdout }: RunResult) => stdout + stderr

const isRange = (attempts: FaultCase["attempts"]): attempts is readonly [number, number] => Array.isArray(attempts)

/** Throws unless all came as the row has it. */
export const expectCase = (row: FaultCase, { ended: result, open, pause, versions, ...seen }: Played): void => {
  const expected = row.versions ?? (row.exit === 0 && row.place === undefined ? 1 : 0)
  const [atLeast, atMost] = isRange(row.attempts) ? row.attempts : []
  const attempts = typeof row.attempts === "number" || atLeast !== undefined ? seen.attempts : seen.operations
  const isWithin = (count: number) => count >= (atLeast ?? count) && count <= (atMost ?? count)
  expect({ attempts, exit: result.code, open, versions: versions.length }, said(result)).toEqual({
    attempts: atLeast === undefined ? row.attempts : expect.toSatisfy(isWithin),
    exit: row.exit,
    open: row.open ?? 0,
    versions: expected
  })
  const sent = createHash("sha256").update(files[row.file ?? "small"])
  expect(new Set(versions)).toEqual(new Set(expected === 0 ? [] : [sent.digest("hex")]))
  expect(result.stdout, "what only developers understand").not.toMatch(/hidden field|@aws-sdk|\.js:\d/)
  if (row.hint !== undefined) expect(/^ {2}hint: (.*)$/m.exec(result.stdout)?.[1], result.stdout).toMatch(row.hint)
  if (row.says !== undefined) expect(said(result)).toMatch(row.says)
  if (row.pause !== undefined) {
    expect(pause).toBeGreaterThanOrEqual(row.pause[0])
    expect(pause).toBeLessThanOrEqual(row.pause[1])
  }
}
