/** Wires the layers of a run; no other module does. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, Layer } from "effect"
import * as ConcurrencyLimit from "../domain/ConcurrencyLimit.ts"
import type { Env } from "../domain/Env.ts"
import type { ConfigError } from "../domain/Errors.ts"
import * as Providers from "../domain/Providers.ts"
import type { Settings } from "../domain/Settings.ts"
import * as Descriptors from "../services/Descriptors.ts"
import { Deadline } from "../services/Export/Deadline.ts"
import { Export } from "../services/Export.ts"
import * as HostIdentity from "../services/HostIdentity.ts"
import { KeyMapping } from "../services/KeyMapping.ts"
import * as SqliteLedger from "../services/Ledger/Sqlite.ts"
import * as SqliteStatus from "../services/Ledger/SqliteStatus.ts"
import { Metrics } from "../services/Metrics.ts"
import { ObjectStore } from "../services/ObjectStore.ts"
import { Progress, type Terminal } from "../services/Progress.ts"
import { Reporter } from "../services/Reporter.ts"
import { Traversal } from "../services/Traversal.ts"
import { Uploads } from "../services/Uploads.ts"
import * as Variables from "./flags/Variables.ts"
import * as Logging from "./Logging.ts"
import { version } from "./Version.ts"

/** What a run needs from its process. */
export interface Host {
  readonly env: Env
  /** The id of this run in reports. */
  readonly runId: string
  /** Runs the program in a second process and returns its exit code; undefined if no second process is needed. */
  readonly supervise?: (input: string) => Effect.Effect<number> | undefined
  /** Shows progress; undefined if stderr is not a terminal. */
  readonly terminal: Terminal | undefined
}

/** `misconfigured`: why endpoint or region is not known. The run then only reports this error. */
export interface RunHost extends Host {
  readonly misconfigured?: ConfigError | undefined
}

/** All services of one run. Tests replace the store. */
export const layer = (given: Settings, host: RunHost, store: Layer.Layer<ObjectStore> = s3(given, host.env)) => {
  const connections = Descriptors.share(Descriptors.limit())
  const settings = { ...given, concurrency: ConcurrencyLimit.atMost(given.concurrency, connections) }
  return Export.layer(settings, {
    version,
    runId: host.runId,
    setupWarnings: Variables.warnings(host.env),
    misconfigured: host.misconfigured
  }).pipe(
    Layer.provide([
      uploads(settings, store),
      settings.dryRun ? SqliteLedger.layerReadOnly(settings) : SqliteLedger.layer(settings),
      host.terminal === undefined || settings.quiet
        ? Progress.layerNone
        : Progress.layerTerminal(settings, host.terminal),
      metrics(settings)
    ]),
    // several layers at once: each additional call of `Layer.provide` adds 1 ms to the start
    Layer.provide([Deadline.layer(settings), Traversal.layer(settings), KeyMapping.layer(settings)]),
    Layer.provideMerge(Layer.merge(Reporter.layer(settings), Logging.layer(settings)))
  )
}

const uploads = (settings: Settings, store: Layer.Layer<ObjectStore>) => {
  const options = { ...settings, ...Providers.partLimits(settings.endpoint) }
  return settings.dryRun ? Uploads.layerDryRun(options) : Layer.provide(Uploads.layer(options), store)
}

const metrics = ({ dryRun, metricsFile, stateDir }: Settings) =>
  dryRun || metricsFile === undefined
    ? Metrics.layerNone
    : Layer.provide(Metrics.layerFile(metricsFile), [SqliteStatus.layer(stateDir), NodeFileSystem.layer])

/** Loads the SDK on first use: loading it takes longer than an entire run that finds nothing new. */
const s3 = (settings: Settings, env: Env) =>
  ObjectStore.layerLazy(
    Effect.map(
      Effect.promise(() => import("../services/ObjectStore/S3/Store.ts")),
      (Store) => Store.layer(settings, env, { hostname: HostIdentity.hostname(), version })
    )
  )
