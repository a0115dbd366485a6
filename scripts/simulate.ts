// Simulates weeks of hourly runs, and checks the program's promises after each run: `npm run simulate -- --help`.
import { existsSync } from "node:fs"
import { tmpdir } from "node:os"
import process from "node:process"
import { parseArgs } from "node:util"
import { type Fault, faults, make } from "./simulate/Scenario.ts"
import { shrink } from "./simulate/Shrink.ts"
import * as Threads from "./simulate/Threads.ts"
import { Violation } from "./simulate/Violation.ts"
import { type Figures, simulate } from "./simulate/Week.ts"

const { values } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    weeks: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    hours: { type: "string", default: "168" },
    faults: { type: "string", default: faults.join() }
  }
})
const [weeks, firstSeed, hours] = [values.weeks, values.seed, values.hours].map(Number) as [number, number, number]
const isFault = (name: string): name is Fault => faults.some((fault) => fault === name)
const names = values.faults.split(",").filter((name) => name !== "")
if (values.help || !(weeks >= 1 && hours >= 1) || Number.isNaN(firstSeed) || !names.every(isFault)) {
  console.log(`npm run simulate [-- [--weeks N] [--seed S] [--hours H] [--faults NAME,…]]
  Week number n has the seed S + n - 1. H: hours of a week.
  faults that may happen: ${faults.join(", ")} (default: all; '' is none)`)
  process.exit(values.help ? 0 : 2)
}

Threads.answerAtOnce()
// disables stack traces, because the simulated store makes many errors
Error.stackTraceLimit = 0
const root = existsSync("/dev/shm") ? "/dev/shm" : tmpdir()
const totals: Figures = { runs: 0, failed: 0, killed: 0, requests: 0, objects: 0, lost: 0 }
const startedAt = process.cpuUsage()
let violations = 0
for (let seed = firstSeed; seed < firstSeed + weeks; seed++) {
  const scenario = make(seed, hours, new Set(names.filter(isFault)))
  try {
    const figures = await simulate(scenario, root)
    for (const name of Object.keys(totals) as Array<keyof Figures>) totals[name] += figures[name]
  } catch (cause) {
    if (!(cause instanceof Violation)) throw cause
    violations++
    const smallest = await shrink(scenario, cause, root)
    console.log(`seed ${seed}: hour ${smallest.violation.hour}: ${smallest.violation.message}
  flags: ${scenario.flags.join(" ")}
  to repeat it: npm run simulate -- --weeks 1 --seed ${seed} --hours ${smallest.hours} --faults '${smallest.faults.join()}'`)
  }
}
const { system, user } = process.cpuUsage(startedAt)
console.log(
  `${weeks} weeks, ${Math.round((system + user) / 1000 / weeks)} ms of CPU each; ${totals.runs} runs, ${totals.failed} failed, ` +
    `${totals.killed} killed; ${totals.requests} requests, ${totals.objects} objects, ${totals.lost} files lost; ${violations} violations`
)
process.exitCode = violations === 0 ? 0 : 1
