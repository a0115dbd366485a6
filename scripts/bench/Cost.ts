/** Measures the cost of a command: its processor time and memory, including those of the processes that it waited for. */
import { execFile } from "node:child_process"

export interface Command {
  readonly argv: ReadonlyArray<string>
  /** The whole environment. Default: the benchmark's own. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Cost {
  /** User and system time, in seconds. */
  readonly cpu: number
  /** In seconds. */
  readonly wall: number
  /** The maximum resident set size, in bytes. */
  readonly peak: number
}

/** Only wait4(2) gives the time of a single child, in microseconds. Node does not provide it. */
const meter = `
import json, os, sys, time
env = json.loads(sys.argv[1]) or os.environ
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
started = time.monotonic()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], env, file_actions=quiet), 0)
cost = dict(cpu=usage.ru_utime + usage.ru_stime, wall=time.monotonic() - started, peak=usage.ru_maxrss * 1024)
json.dump(cost, sys.stdout)
sys.exit(os.waitstatus_to_exitcode(status))`

/** Runs a command, which must exit with 0. */
export const measure = ({ argv, env }: Command): Promise<Cost> =>
  new Promise((resolve, reject) => {
    const args = ["-c", meter, JSON.stringify(env ?? null), ...argv]
    execFile("python3", args, { maxBuffer: 2 ** 24 }, (failure, stdout, stderr) => {
      if (failure === null) resolve(JSON.parse(stdout) as Cost)
      // not the error's own message, which would repeat the whole meter
      else reject(new Error(`${argv.join(" ")}\nexited with ${failure.code}:\n${stderr}`))
    })
  })

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** The median of each figure. For an even number of values, this is the greater of the two in the middle. */
export const medians = (costs: ReadonlyArray<Cost>): Cost => ({
  cpu: median(costs.map(({ cpu }) => cpu)),
  wall: median(costs.map(({ wall }) => wall)),
  peak: median(costs.map(({ peak }) => peak))
})

/** Runs all items in each round, so that a disturbance of the machine affects them all. Returns the results by item. */
export const interleave = async <Item, Result>(
  items: ReadonlyArray<Item>,
  rounds: number,
  run: (item: Item) => Promise<Result>
): Promise<ReadonlyArray<ReadonlyArray<Result>>> => {
  const results = items.map((): Array<Result> => [])
  for (let round = 0; round < rounds; round++) {
    for (const [at, item] of items.entries()) results[at]!.push(await run(item))
  }
  return results
}

/** Measures each command in each round, and returns the medians. */
export const measureAll = async <Name extends string>(
  commands: Readonly<Record<Name, Command>>,
  rounds: number
): Promise<Readonly<Record<Name, Cost>>> => {
  const names = Object.keys(commands) as Array<Name>
  const costs = await interleave(names, rounds, (name) => measure(commands[name]))
  return Object.fromEntries(names.map((name, at) => [name, medians(costs[at]!)])) as Record<Name, Cost>
}
