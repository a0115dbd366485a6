/** What differs from week to week: the settings of the job, the collector, and what may go wrong. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Effect } from "effect"
import * as S3 from "../../src/cli/commands/S3.ts"
import * as Argv from "../../src/cli/flags/Argv.ts"
import { s3Flags } from "../../src/cli/flags/S3Flags.ts"
import type { Settings } from "../../src/domain/Settings.ts"
import { type Random, seeded } from "./Random.ts"

/** What may go wrong in a week. Each has its own random numbers, so that leaving one out does not change the others. */
export const faults = [
  "outages",
  "errors",
  "lost-answers",
  "silence",
  "corruption",
  "refusals",
  "latency",
  "clock",
  "disk",
  "signals",
  "kills",
  "restarts",
  "truncation",
  "pauses"
] as const
export type Fault = (typeof faults)[number]

export interface Scenario {
  readonly seed: number
  readonly hours: number
  readonly faults: ReadonlySet<Fault>
  /** Hours for which the collector keeps a snapshot. */
  readonly keptHours: number
  /** The minute of the hour at which runs start. */
  readonly minute: number
  readonly flags: ReadonlyArray<string>
  /** Smaller than the flag allows, so that files of a few KiB are sent in parts. */
  readonly partSizeBytes: number | undefined
}

const pick = <A>(random: Random, choices: ReadonlyArray<A>): A => choices[random.below(choices.length)]!

/** Random numbers for one purpose. */
export const randomFor = (seed: number, purpose: string): Random =>
  seeded([...purpose].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 16_777_619), seed ^ 0x811c9dc5))

export const make = (seed: number, hours: number, allowed: ReadonlySet<Fault>): Scenario => {
  const random = randomFor(seed, "scenario")
  const keptHours = pick(random, [1, 3, 24, 24, 168])
  const sometimes = (probability: number, ...flags: ReadonlyArray<string>) => (random.chance(probability) ? flags : [])
  // most weeks have some of the faults, some have all or none
  const share = pick(random, [0, 0.3, 0.6, 1])
  return {
    seed,
    hours,
    faults: new Set(faults.filter((fault) => random.chance(share) && allowed.has(fault))),
    keptHours,
    minute: pick(random, [0, 1, 7, 30, 58]),
    flags: [
      `--concurrency=${pick(random, ["auto", "1", "2", "8"])}`,
      `--max-retries=${pick(random, [0, 1, 8])}`,
      `--grace=${pick(random, ["0s", "20s"])}`,
      `--timeout=${pick(random, ["5s", "60s"])}`,
      `--give-up-after=${pick(random, ["30s", "5m"])}`,
      ...sometimes(0.5, `--retention=${keptHours}h`),
      ...sometimes(0.2, `--deadline=${pick(random, ["1m", "20m"])}`),
      ...sometimes(0.15, "--final-only"),
      // the flags exclude each other
      ...(random.chance(0.1) ? ["--no-overwrite"] : randomFor(seed, "manifest").chance(0.25) ? ["--manifest"] : []),
      ...sometimes(0.2, `--on-replace=${pick(random, ["overwrite", "fail"])}`),
      ...sometimes(0.01, "--force")
    ],
    partSizeBytes: random.chance(0.3) ? 4096 : undefined
  }
}

/** The settings that the program makes from the flags. */
export const settingsOf = ({ flags, partSizeBytes }: Scenario, input: string, stateDir: string): Settings => {
  const args = ["s3", "--input", input, "--state-dir", stateDir, "--bucket=b", "--prefix=p", ...flags]
  const request = Argv.parse({ s3: Object.values(s3Flags) }, args)
  if (request._tag !== "Run") throw new Error(`${args.join(" ")} is no command line`)
  const settings = Effect.runSync(Effect.provide(S3.settings({ args: request.args, env: {} }), NodeContext.layer))
  return { ...settings, partSizeBytes: partSizeBytes ?? settings.partSizeBytes }
}
