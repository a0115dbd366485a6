/** Markdown tables with aligned columns, which are also readable as plain text. */
import type { Cost } from "./Cost.ts"

export const table = (columns: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = columns.map((name, at) => Math.max(3, name.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const line = (cells: ReadonlyArray<string>) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`
  return [line(columns), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n")
}

export const seconds = (value: number): string => value.toFixed(2)

const millis = (value: number): string => value.toFixed(3)

export const mebibytes = (value: number): string => (value / 2 ** 20).toFixed(0)

export const megabytes = (value: number): string => (value / 1e6).toFixed(1)

export const ratio = (ours: number, theirs: number): string => `${(ours / theirs).toFixed(2)}×`

/** A table of the costs of commands, with the ratio of each one's CPU time to that of `reference`. */
export const costs = (byName: Readonly<Record<string, Cost>>, reference?: string): string => {
  const base = reference === undefined ? undefined : byName[reference]
  return table(
    ["command", "CPU s", "wall s", "RSS MiB", ...(base === undefined ? [] : ["CPU over the first's"])],
    Object.entries(byName).map(([name, cost]) => {
      const cells = [name, millis(cost.cpu), millis(cost.wall), mebibytes(cost.peak)]
      return base === undefined ? cells : [...cells, ratio(cost.cpu, base.cpu)]
    })
  )
}
