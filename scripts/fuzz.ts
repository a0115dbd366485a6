// Runs the built program with random input. `npm run fuzz -- --help` lists the options.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import * as Answers from "./fuzz/Answers.ts"
import * as CommandLines from "./fuzz/CommandLines.ts"
import * as Configurations from "./fuzz/Configurations.ts"

const { values } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    answers: { type: "string", default: "0" },
    "command-lines": { type: "string", default: "0" },
    configurations: { type: "string", default: "0" },
    seed: { type: "string", default: "1" }
  }
})
const count = (text: string) => Math.ceil(Number(text))
const seed = Number(values.seed)
const content = '{"line":1}\n'

/** The kinds of input. Each has a default number of tries, and a function that makes one try in an empty directory. */
const kinds = [
  ["answers", count(values.answers) / Answers.filesPerRun, Answers.fuzz],
  [
    "command-lines",
    count(values["command-lines"]),
    (at: number, home: string) => CommandLines.fuzz(at, withInput(home))
  ],
  [
    "configurations",
    count(values.configurations),
    (at: number, home: string) => Configurations.fuzz(at, withInput(home), content)
  ]
] as const

if (
  values.help ||
  Number.isNaN(seed) ||
  kinds.some(([, times]) => Number.isNaN(times)) ||
  kinds.every(([, times]) => times === 0)
) {
  console.log(`npm run fuzz -- [--answers N] [--command-lines N] [--configurations N] [--seed S]
  answers: of a store, ${Answers.filesPerRun} in one run; command lines, with variables of the program; AWS files and variables
  No input may crash the program, hang it, or make it count a file as stored that is not.`)
  process.exit(values.help ? 0 : 2)
}

const withInput = (home: string): string => {
  mkdirSync(join(home, "in"))
  writeFileSync(join(home, "in", "a.jsonl"), content)
  return home
}

let problems = 0
for (const [kind, times, fuzz] of kinds) {
  for (let at = seed; at < seed + times; at++) {
    const home = mkdtempSync(join(tmpdir(), "ibsr-export-fuzz-"))
    try {
      for (const problem of await fuzz(at, home)) {
        problems++
        console.log(`${problem}\n  to repeat it: npm run fuzz -- --${kind} 1 --seed ${at}`)
      }
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  }
}
const tried = kinds.map(
  ([kind, times]) => `${kind === "answers" ? Math.ceil(times) * Answers.filesPerRun : times} ${kind}`
)
console.log(`${tried.join(", ")}: ${problems} problems`)
process.exitCode = problems === 0 ? 0 : 1
