/** What commands cost, measured in turns, so that what disturbs one disturbs the others. */
import { execFile } from "node:child_process"
import process from "node:process"
import { promisify } from "node:util"

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
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
began = time.monotonic()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet), 0)
cost = dict(cpu=usage.ru_utime + usage.ru_stime, wall=time.monotonic() - began, peak=usage.ru_maxrss * 1024)
json.dump(cost, sys.stdout)
sys.exit(os.waitstatus_to_exitcode(status))`

const cost = async (command: ReadonlyArray<string>): Promise<Cost> =>
  JSON.parse((await promisify(execFile)("python3", ["-c", meter, ...command])).stdout) as Cost

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** The medians of each command. */
export const measure = async <Name extends string>(
  commands: Readonly<Record<Name, ReadonlyArray<string>>>,
  rounds: number
): Promise<Record<Name, Cost>> => {
  const names = Object.keys(commands) as Array<Name>
  const costs = Object.fromEntries(names.map((name) => [name, [] as Array<Cost>])) as Record<Name, Array<Cost>>
  for (let round = 0; round < rounds; round++) {
    for (const name of names) costs[name].push(await cost(commands[name]))
  }
  const of = (name: Name, what: keyof Cost) => median(costs[name].map((each) => each[what]))
  return Object.fromEntries(
    names.map((name) => [name, { cpu: of(name, "cpu"), wall: of(name, "wall"), peak: of(name, "peak") }])
  ) as Record<Name, Cost>
}

export const print = (name: string, { cpu, peak, wall }: Cost): void =>
  console.log(
    `${name.padEnd(28)} ${(cpu * 1000).toFixed(0).padStart(8)} ${(wall * 1000).toFixed(0).padStart(8)} ${(peak / 2 ** 20).toFixed(0).padStart(7)}`
  )

export const heading = (about: string, rounds: number): void =>
  console.log(
    `${about}; Node ${process.versions.node}, medians of ${rounds} rounds in turns\n\n${"command".padEnd(28)} CPU (ms)  wall (ms) RSS (MiB)`
  )
