/** Runs one case: a fresh store, a fresh directory, the built program once. */
import { createHash } from "node:crypto"
import { expect } from "vitest"
import { StrictS3 } from "../../../scripts/strict-s3/StrictS3.ts"
import { tree } from "../../fixtures/Tree.ts"
import { type RunResult, s3, start } from "../BuiltProgram.ts"
import type { FakeEndpoint } from "./FakeEndpoints.ts"
import type { FaultCase } from "./FaultCase.ts"
import { sessionWriter, sessionWriterNoAbort } from "./Identities.ts"

const MiB = 1024 ** 2
const fileName = "a.jsonl"
const key = `ibsr/host/snapshots/${fileName}`

const files = {
  small: Buffer.from('{"a":1}\n'),
  large: Buffer.alloc(3 * MiB, `{"a":1}\n`),
  parts: Buffer.alloc(6 * MiB, `{"b":2}\n`)
}

/** What the server saw of a run. */
interface Observed {
  readonly attempts: number
  /** The number of requests by operation. */
  readonly operations: Readonly<Record<string, number>>
  /** The SHA-256 of every version that was stored. */
  readonly versions: ReadonlyArray<string>
  readonly openUploads: number
  /** Milliseconds between the first two attempts. */
  readonly pause: number
}

export interface FaultRun extends Observed {
  readonly result: RunResult
}

/** A strict store with the faults of the case. */
const startStore = async ({ fault, store: options }: FaultCase): Promise<StrictS3> => {
  const store = await StrictS3.start({ identities: [sessionWriter, sessionWriterNoAbort], ...options })
  const requests = new Map<string, number>()
  store.fault = (request) => {
    const nth = requests.get(request.operation) ?? 0
    requests.set(request.operation, nth + 1)
    return fault?.(request, nth)
  }
  return store
}

const observeStore = (store: StrictS3): Observed => {
  const [first, second] = store.requests
  const byOperation = Map.groupBy(store.requests, ({ operation }) => operation)
  return {
    attempts: store.requests.length,
    operations: Object.fromEntries([...byOperation].map(([operation, requests]) => [operation, requests.length])),
    versions: store.versions(key).map(({ sha256 }) => sha256),
    openUploads: store.openUploads().length,
    pause: (second?.startedAt ?? Number.NaN) - (first?.endedAt ?? Number.NaN)
  }
}

const observeEndpoint = (endpoint: FakeEndpoint, { stderr }: RunResult): Observed => ({
  attempts: endpoint.connections?.() ?? 1 + [...stderr.matchAll(/ message=retrying /g)].length,
  operations: {},
  versions: [],
  openUploads: 0,
  pause: Number.NaN
})

export const runCase = async (faultCase: FaultCase): Promise<FaultRun> => {
  const server = await (faultCase.endpoint?.() ?? startStore(faultCase))
  const { file = "small", flags = [], identity = sessionWriter, timeout = "30s" } = faultCase
  const allFlags = ["--verbose", "--max-retries=2", `--timeout=${timeout}`, "--part-size=5MiB", ...flags]
  const { child, finished } = start(s3(tree({ [fileName]: files[file] }), server.endpoint, ...allFlags), {
    env: {
      AWS_ACCESS_KEY_ID: identity.accessKeyId,
      AWS_SECRET_ACCESS_KEY: identity.secretAccessKey,
      AWS_SESSION_TOKEN: identity.sessionToken,
      ...("env" in server && server.env)
    }
  })
  try {
    const result = await finished
    return { result, ...(server instanceof StrictS3 ? observeStore(server) : observeEndpoint(server, result)) }
  } finally {
    child.kill("SIGKILL")
    await server.stop()
  }
}

const isRange = (attempts: FaultCase["attempts"]): attempts is readonly [number, number] => Array.isArray(attempts)

/** Fails unless the run has the outcome that the case requires. */
export const expectOutcome = (faultCase: FaultCase, run: FaultRun): void => {
  const { result } = run
  const output = result.stdout + result.stderr
  const versions = faultCase.versions ?? (faultCase.exit === 0 && faultCase.endpoint === undefined ? 1 : 0)
  const [atLeast, atMost] = isRange(faultCase.attempts) ? faultCase.attempts : []
  const isWithin = (count: number) => count >= (atLeast ?? count) && count <= (atMost ?? count)
  expect(
    {
      attempts: typeof faultCase.attempts === "number" || atLeast !== undefined ? run.attempts : run.operations,
      exit: result.code,
      openUploads: run.openUploads,
      versions: run.versions.length
    },
    output
  ).toEqual({
    attempts: atLeast === undefined ? faultCase.attempts : expect.toSatisfy(isWithin),
    exit: faultCase.exit,
    openUploads: faultCase.openUploads ?? 0,
    versions
  })
  const sha256 = createHash("sha256")
    .update(files[faultCase.file ?? "small"])
    .digest("hex")
  expect(new Set(run.versions)).toEqual(new Set(versions === 0 ? [] : [sha256]))
  expect(result.stdout, "words for developers only").not.toMatch(/hidden field|@aws-sdk|\.js:\d/)
  const hint = /^ {2}hint: (.*)$/m.exec(result.stdout)?.[1]
  if (faultCase.hint !== undefined) expect(hint, result.stdout).toMatch(faultCase.hint)
  if (faultCase.output !== undefined) expect(output).toMatch(faultCase.output)
  if (faultCase.pause !== undefined) {
    expect(run.pause).toBeGreaterThanOrEqual(faultCase.pause[0])
    expect(run.pause).toBeLessThanOrEqual(faultCase.pause[1])
  }
}
