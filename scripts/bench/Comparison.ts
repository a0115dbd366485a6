/** Compares clients that take turns at the same task. */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { type Client, scratchIn } from "./Client.ts"
import * as Cost from "./Cost.ts"
import type { Load } from "./Load.ts"
import type { Counters, NullStore } from "./NullStore.ts"

/** One run of a client. */
export interface Measurement {
  readonly cost: Cost.Cost
  readonly seen: Counters
}

/** The medians of a client's measurements. */
export interface Result extends Cost.Cost {
  readonly client: Client
  /** The store's counters after the last run. */
  readonly seen: Counters
}

export interface Setup {
  readonly load: Load
  readonly scheme: "http" | "https"
  readonly rounds: number
  /** The parent of the scratch folders. */
  readonly folder: string
}

const measure = async (store: NullStore, client: Client, { folder, load, scheme }: Setup): Promise<Measurement> => {
  const scratch = scratchIn(join(folder, "scratch"))
  const command = client.command({ load, endpoint: store[scheme], authority: store.authority, scratch })
  const before = await store.reset()
  const cost = await Cost.measure(command)
  const seen = await store.counters()
  rmSync(scratch, { recursive: true })
  // checked, because a client must not win by sending less
  const stored = seen.put - seen.parts + seen.post
  if (seen.bytes < load.bytes || stored < load.files.length) {
    throw new Error(`${client.name} sent ${seen.bytes} bytes in ${stored} objects: ${command.argv.join(" ")}`)
  }
  return { cost, seen: { ...seen, cpu: seen.cpu - before.cpu } }
}

/** Measures all clients, in `rounds` rounds. */
export const compare = async (
  store: NullStore,
  clients: ReadonlyArray<Client>,
  setup: Setup
): Promise<ReadonlyArray<Result>> => {
  const measurements = await Cost.interleave(clients, setup.rounds, (client) => measure(store, client, setup))
  return clients.map((client, at) => {
    const own = measurements[at]!
    return { client, ...Cost.medians(own.map(({ cost }) => cost)), seen: own.at(-1)!.seen }
  })
}
