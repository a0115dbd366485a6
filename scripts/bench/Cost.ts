/** What a command costs: its own processor time and memory, and those of the processes that it waited for. */
import { execFile } from "node:child_process"

export interface Command {
  readonly argv: ReadonlyArray<string>
  /** The whole environment; that of the benchmark if there is none. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Cost {
  /** Seconds, user and system. */
  readonly cpu: number
  /** Seconds. */
  readonly wall: number
  /** Resident bytes, at most. */
  readonly peak: number
}

/** Only wait4(2) tells what one child took, to the microsecond; Node does not offer it. */
const meter = `
import json, os, sys, time
env = json.loads(sys.argv[1]) or os.environ
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
began = time.monotonic()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], env, file_actions=quiet), 0)
cost = dict(cpu=usage.ru_utime + usage.ru_stime, wall=time.monotonic() - began, peak=usage.ru_maxrss * 1024)
json.dump(cost, sys.stdout)
sys.exit(os.waitstatus_to_exitcode(status))`

/** Runs it; it has to end with 0. */
export const of = ({ argv, env }: Command): Promise<Cost> =>
  new Promise((resolve, reject) => {
    const given = ["-c", meter, JSON.stringify(env ?? null), ...argv]
    execFile("python3", given, { maxBuffer: 2 ** 24 }, (failure, stdout, stderr) => {
      if (failure === null) resolve(JSON.parse(stdout) as Cost)
      // the failure itself repeats the whole meter
      else reject(new Error(`${argv.join(" ")}\nended with ${failure.code}:\n${stderr}`))
    })
  })

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** Of each figure its own, of an even number the greater of the two in the middle. */
export const medians = (costs: ReadonlyArray<Cost>): Cost => ({
  cpu: median(costs.map(({ cpu }) => cpu)),
  wall: median(costs.map(({ wall }) => wall)),
  peak: median(costs.map(({ peak }) => peak))
})

/** What each of these came to, round by round. They take turns, so that what disturbs one disturbs the others. */
export const inTurns = async <One, Outcome>(
  those: ReadonlyArray<One>,
  rounds: number,
  once: (one: One) => Promise<Outcome>
): Promise<ReadonlyArray<ReadonlyArray<Outcome>>> => {
  const outcomes = those.map((): Array<Outcome> => [])
  for (let round = 0; round < rounds; round++) {
    for (const [at, one] of those.entries()) outcomes[at]!.push(await once(one))
  }
  return outcomes
}

/** The medians of each command. */
export const ofEach = async <Name extends string>(
  commands: Readonly<Record<Name, Command>>,
  rounds: number
): Promise<Readonly<Record<Name, Cost>>> => {
  const names = Object.keys(commands) as Array<Name>
  const costs = await inTurns(names, rounds, (name) => of(commands[name]))
  return Object.fromEntries(names.map((name, at) => [name, medians(costs[at]!)])) as Record<Name, Cost>
}
