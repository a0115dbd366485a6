/** How a race went, as people read it. */
import type { Cost } from "./Cost.ts"
import type { Result } from "./Race.ts"
import { mebibytes, megabytes, ratio, seconds, table } from "./Table.ts"
import type { Verdict } from "./Workload.ts"

const requests = ({ delete: deleted, get, head, parts, post, put }: Result["seen"]): string =>
  Object.entries({ PUT: put - parts, parts, POST: post, HEAD: head, GET: get, DELETE: deleted })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what}`)
    .join(", ")

const columns: Readonly<Record<string, (result: Result, ours: Result) => string>> = {
  client: ({ client }) => client.name,
  "CPU s": ({ cpu }) => seconds(cpu),
  "wall s": ({ wall }) => seconds(wall),
  "RSS MiB": ({ peak }) => mebibytes(peak),
  requests: ({ seen }) => requests(seen),
  "MB sent": ({ seen }) => megabytes(seen.bytes),
  connections: ({ seen }) => String(seen.connections),
  "at once": ({ seen }) => String(seen.mostInFlight),
  "store's CPU s": ({ seen }) => seconds(seen.cpu),
  "our CPU": ({ cpu }, ours) => ratio(ours.cpu, cpu),
  "our wall": ({ wall }, ours) => ratio(ours.wall, wall)
}

/** The first is ours, which the others are compared with. */
export const report = (results: ReadonlyArray<Result>): string =>
  table(
    Object.keys(columns),
    results.map((result) => Object.values(columns).map((cell) => cell(result, results[0]!)))
  )

export const taken = ({ cpu, peak, wall }: Cost): string =>
  `${seconds(cpu)} s / ${seconds(wall)} s, ${mebibytes(peak)} MiB`

/** Of several settings, the best CPU and the best wall, even if they are not of the same. */
const over = (ours: Cost, those: ReadonlyArray<Cost>): string => {
  const least = (what: "cpu" | "wall") => Math.min(...those.map((cost) => cost[what]))
  return `${ratio(ours.cpu, least("cpu"))} / ${ratio(ours.wall, least("wall"))}`
}

export const verdict = (work: string, results: ReadonlyArray<Result>): Verdict => {
  const [ours, ...others] = results as [Result, ...Array<Result>]
  const rivals = others.filter(({ client }) => client.kind !== "ours")
  const peers = rivals.filter(({ client }) => client.kind === "peer")
  const settings = others.filter(({ client }) => client.kind === "ours")
  const programs = Object.entries(Object.groupBy(rivals, ({ client }) => client.program))
  const ratios = Object.fromEntries(programs.map(([program, those]) => [program, over(ours, those!)]))
  return {
    work,
    ours: taken(ours),
    ratios: peers.length === 0 ? ratios : { ...ratios, "best peer": over(ours, peers) },
    ...(settings.length === 0 ? {} : { besides: `${over(ours, settings)} of the best other setting of ours` })
  }
}
