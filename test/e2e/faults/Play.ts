/** Plays one row: a fresh store, a fresh directory, the built program once. */
import { createHash } from "node:crypto"
import { expect } from "vitest"
import { StrictS3 } from "../../fakes/StrictS3.ts"
import { tree } from "../../fixtures/Tree.ts"
import { type Ended, s3, start } from "../Program.ts"
import { courier, courierNoAbort } from "./Logins.ts"
import type { Place } from "./Places.ts"
import type { Row } from "./Row.ts"

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
  readonly ended: Ended
  readonly attempts: number
  readonly operations: Readonly<Record<string, number>>
  /** SHA-256 of all that was ever stored. */
  readonly versions: ReadonlyArray<string>
  readonly open: number
  /** Milliseconds between the first two attempts. */
  readonly pause: number
}

/** A strict store that does what the row says. */
const strict = async ({ store: options, strike }: Row): Promise<StrictS3> => {
  const store = await StrictS3.start({ identities: [courier, courierNoAbort], ...options })
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

const unseen = (place: Place, { stderr }: Ended): Omit<Played, "ended"> => ({
  attempts: place.attempts?.() ?? 1 + [...stderr.matchAll(/ message=retrying /g)].length,
  operations: {},
  versions: [],
  open: 0,
  pause: Number.NaN
})

export const play = async (row: Row): Promise<Played> => {
  const place = await (row.place?.() ?? strict(row))
  const { login = courier, timeout = "30s" } = row
  const flags = ["--verbose", "--max-retries=2", `--timeout=${timeout}`, "--part-size=5MiB", ...(row.flags ?? [])]
  const { child, ended } = start(s3(tree({ [name]: files[row.file ?? "small"] }), place.endpoint, ...flags), {
    env: {
      AWS_ACCESS_KEY_ID: login.accessKeyId,
      AWS_SECRET_ACCESS_KEY: login.secretAccessKey,
      AWS_SESSION_TOKEN: login.sessionToken,
      ...("env" in place && place.env)
    }
  })
  try {
    const end = await ended
    return { ended: end, ...(place instanceof StrictS3 ? arrived(place) : unseen(place, end)) }
  } finally {
    child.kill("SIGKILL")
    await place.stop()
  }
}

const said = ({ stderr, stdout }: Ended) => stdout + stderr

const isRange = (attempts: Row["attempts"]): attempts is readonly [number, number] => Array.isArray(attempts)

/** Throws unless all came as the row has it. */
export const judge = (row: Row, { ended, open, pause, versions, ...seen }: Played): void => {
  const expected = row.versions ?? (row.exit === 0 && row.place === undefined ? 1 : 0)
  const [atLeast, atMost] = isRange(row.attempts) ? row.attempts : []
  const attempts = typeof row.attempts === "number" || atLeast !== undefined ? seen.attempts : seen.operations
  const isWithin = (count: number) => count >= (atLeast ?? count) && count <= (atMost ?? count)
  expect({ attempts, exit: ended.code, open, versions: versions.length }, said(ended)).toEqual({
    attempts: atLeast === undefined ? row.attempts : expect.toSatisfy(isWithin),
    exit: row.exit,
    open: row.open ?? 0,
    versions: expected
  })
  const sent = createHash("sha256").update(files[row.file ?? "small"])
  expect(new Set(versions)).toEqual(new Set(expected === 0 ? [] : [sent.digest("hex")]))
  expect(ended.stdout, "what only developers understand").not.toMatch(/hidden field|@aws-sdk|\.js:\d/)
  if (row.hint !== undefined) expect(/^ {2}hint: (.*)$/m.exec(ended.stdout)?.[1], ended.stdout).toMatch(row.hint)
  if (row.says !== undefined) expect(said(ended)).toMatch(row.says)
  if (row.pause !== undefined) {
    expect(pause).toBeGreaterThanOrEqual(row.pause[0])
    expect(pause).toBeLessThanOrEqual(row.pause[1])
  }
}
