/** A fault of a host, its network or its store, and the words that its operator must find in the last line. */
import type { Fault, StrictS3Options } from "../../../scripts/strict-s3/StrictS3.ts"
import { StrictS3 } from "../../../scripts/strict-s3/StrictS3.ts"
import { tree } from "../../fixtures/Tree.ts"
import { type RunOptions, s3 } from "../BuiltProgram.ts"
import type { FakeEndpoint } from "../faults/FakeEndpoints.ts"

interface Stoppable {
  readonly stop: () => Promise<unknown>
}

/** Stops a server after the run of the case. */
export type Use = <A extends Stoppable>(server: A) => A

/** A prepared run of the program. */
export interface Prepared extends RunOptions {
  readonly args: ReadonlyArray<string>
}

export interface LastLinesCase {
  /** Completes the title "name the cause and the remedy when …". */
  readonly when: string
  readonly exit: number
  /** Patterns that the last line must match. */
  readonly cause: RegExp
  readonly remedy: RegExp
  /** Whether this machine and this user can prepare the fault. Default: true. */
  readonly isPossible?: boolean
  readonly prepare: (use: Use) => Promise<Prepared>
}

export const oneFile = () => tree({ "snapshot_2026112214.jsonl": '{"a":1}\n' })

const region = "--region=us-east-1"

/** Prepares a run with these flags and variables on a strict store that has this fault. */
export const onStore =
  ({
    fault,
    options,
    ...run
  }: RunOptions & {
    readonly fault?: Fault | undefined
    readonly options?: StrictS3Options
    readonly flags?: ReadonlyArray<string>
    readonly input?: string
  }) =>
  async (use: Use): Promise<Prepared> => {
    const store = use(await StrictS3.start(options))
    store.fault = () => fault
    const { flags = [], input = oneFile(), ...rest } = run
    return { ...rest, args: s3(input, store.endpoint, region, ...flags) }
  }

/** Prepares a run whose store always sends this response. */
export const answering = (answer: Omit<Extract<Fault, { kind: "answer" }>, "kind">) =>
  onStore({ fault: { kind: "answer", ...answer } })

/** Prepares a run on an endpoint that is not a plain store. */
export const at =
  (endpoint: () => Promise<FakeEndpoint>, env: NodeJS.ProcessEnv = {}) =>
  async (use: Use): Promise<Prepared> => {
    const server = use(await endpoint())
    return { args: s3(oneFile(), server.endpoint, region), env: { ...server.env, ...env } }
  }

export const htmlPage = (text: string) => `<html><body><h1>${text}</h1></body></html>`

/** The refusal of a store, with this code and message. */
export const refusal = (status: number, code: string, message: string) => ({
  status,
  code,
  body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`
})
