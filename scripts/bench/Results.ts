/** Formats the results of a comparison. */
import type { Cost } from "./Cost.ts"
import type { Result } from "./Comparison.ts"
import { mebibytes, megabytes, ratio, seconds, table } from "./Table.ts"
import type { SummaryRow } from "./Workload.ts"

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
  "in flight": ({ seen }) => String(seen.mostInFlight),
  "store's CPU s": ({ seen }) => seconds(seen.cpu),
  "our CPU": ({ cpu }, ours) => ratio(ours.cpu, cpu),
  "our wall": ({ wall }, ours) => ratio(ours.wall, wall)
}

/** A table of all results. The first one is ours; the ratios compare it with the others. */
export const report = (results: ReadonlyArray<Result>): string =>
  table(
    Object.keys(columns),
    results.map((result) => Object.values(columns).map((cell) => cell(result, results[0]!)))
  )

export const formatCost = ({ cpu, peak, wall }: Cost): string =>
  `${seconds(cpu)} s / ${seconds(wall)} s, ${mebibytes(peak)} MiB`

/**
 * The ratios of our figures to the best CPU time and the best wall time of another program, which may come from
 * different settings.
 */
const ratiosToBest = (ours: Cost, others: ReadonlyArray<Cost>): string => {
  const least = (what: "cpu" | "wall") => Math.min(...others.map((cost) => cost[what]))
  return `${ratio(ours.cpu, least("cpu"))} / ${ratio(ours.wall, least("wall"))}`
}

/** The row of a comparison in the summary. */
export const summarize = (work: string, results: ReadonlyArray<Result>): SummaryRow => {
  const [ours, ...others] = results as [Result, ...Array<Result>]
  const programs = others.filter(({ client }) => client.kind !== "ours")
  const peers = programs.filter(({ client }) => client.kind === "peer")
  const settings = others.filter(({ client }) => client.kind === "ours")
  const byProgram = Object.entries(Object.groupBy(programs, ({ client }) => client.program))
  const ratios = Object.fromEntries(byProgram.map(([program, own]) => [program, ratiosToBest(ours, own!)]))
  return {
    work,
    ours: formatCost(ours),
    ratios: peers.length === 0 ? ratios : { ...ratios, "best peer": ratiosToBest(ours, peers) },
    ...(settings.length === 0 ? {} : { notes: `${ratiosToBest(ours, settings)} to our best other setting` })
  }
}
