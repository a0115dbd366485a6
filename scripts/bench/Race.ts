/** Clients on the same errand, in turns. */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { type Client, scratchIn } from "./Client.ts"
import * as Cost from "./Cost.ts"
import type { Load } from "./Load.ts"
import type { Counters, NullStore } from "./NullStore.ts"

/** One errand, done. */
export interface Lap {
  readonly cost: Cost.Cost
  readonly seen: Counters
}

/** The medians of one client's laps. */
export interface Result extends Cost.Cost {
  readonly client: Client
  /** In the last lap. */
  readonly seen: Counters
}

export interface Course {
  readonly load: Load
  readonly scheme: "http" | "https"
  readonly rounds: number
  /** Where scratch folders are made. */
  readonly folder: string
}

const lap = async (store: NullStore, client: Client, { folder, load, scheme }: Course): Promise<Lap> => {
  const scratch = scratchIn(join(folder, "scratch"))
  const command = client.command({ load, endpoint: store[scheme], authority: store.authority, scratch })
  const before = await store.reset()
  const cost = await Cost.of(command)
  const seen = await store.counters()
  rmSync(scratch, { recursive: true })
  // a client that is quick because it sends less is not to win
  const stored = seen.put - seen.parts + seen.post
  if (seen.bytes < load.bytes || stored < load.files.length) {
    throw new Error(`${client.name} sent ${seen.bytes} bytes in ${stored} objects: ${command.argv.join(" ")}`)
  }
  return { cost, seen: { ...seen, cpu: seen.cpu - before.cpu } }
}

export const run = async (
  store: NullStore,
  clients: ReadonlyArray<Client>,
  course: Course
): Promise<ReadonlyArray<Result>> => {
  const laps = await Cost.inTurns(clients, course.rounds, (client) => lap(store, client, course))
  return clients.map((client, at) => {
    const done = laps[at]!
    return { client, ...Cost.medians(done.map(({ cost }) => cost)), seen: done.at(-1)!.seen }
  })
}
