/** Runs the program with random command lines and random values of its own variables. */
import { join } from "node:path"
import { flags, texts } from "../../src/cli/docs/Manual.ts"
import { type Random, seeded } from "../simulate/Random.ts"
import * as Program from "./Program.ts"

const pick = <A>(random: Random, choices: ReadonlyArray<A>): A => choices[random.below(choices.length)]!

/**
 * Values that are valid for some flag, and values that no flag should accept. All paths are below the current
 * directory.
 */
const values = [
  "",
  " ",
  "0",
  "1",
  "-1",
  "1e3",
  "0x10",
  "99999999999999999999",
  "auto",
  "none",
  "s3",
  "kms",
  "json",
  "text",
  "1s",
  "0s",
  "2h",
  "-5m",
  "8MiB",
  "5GiB",
  "1.5",
  "a=b",
  "=",
  "a=",
  "{}",
  '{"a":"b"}',
  "[",
  "*",
  "**",
  "[",
  "!",
  "{hostname}",
  "{nothing}",
  "in",
  "in/a.jsonl",
  "nowhere",
  ".",
  "/dev/null",
  "/proc/self",
  "b",
  "B..b",
  "http://127.0.0.1:9",
  "http://",
  "ftp://x",
  "a\nb",
  "a\u0000b".replace("\u0000", "\u0001"),
  "\u{1f600}",
  "\ud800",
  "-",
  "--",
  "x".repeat(5000),
  "ibsr/../..",
  "us-east-1",
  "Jan",
  "true",
  "false",
  "no"
]

const names = Object.values(flags)
  .flat()
  .map(({ name }) => name)

const word = (random: Random): string => {
  const name = random.chance(0.9) ? pick(random, names) : pick(random, values)
  const dashed = `${pick(random, ["--", "--", "--", "-", ""])}${name}`
  return random.chance(0.5) ? `${dashed}=${pick(random, values)}` : random.chance(0.7) ? dashed : pick(random, values)
}

const variable = (random: Random): readonly [string, string] => [
  `IBSR_EXPORT_${pick(random, names).toUpperCase().replaceAll("-", "_")}`,
  pick(random, values).replaceAll("\u0000", "")
]

/** Returns the problems found. `home` must have a directory `in` with a file. */
export const fuzz = async (seed: number, home: string): Promise<ReadonlyArray<string>> => {
  const random = seeded(seed)
  const command = pick(random, [
    "s3",
    "s3",
    "s3",
    "s3",
    "status",
    "units",
    "explain",
    pick(random, texts),
    pick(random, values)
  ])
  const required = random.chance(0.7) ? ["--input=in", "--bucket=b"] : []
  // a run with valid input ends soon, because nothing listens at this address
  const limits = command === "s3" ? ["--endpoint=http://127.0.0.1:9", "--max-retries=0", "--deadline=3s"] : []
  const args = [
    ...command.split(" "),
    ...required,
    ...(random.chance(0.8) ? limits : []),
    ...Array.from({ length: random.below(6) }, () => word(random))
  ].map((each) => each.replaceAll("\u0000", ""))
  const env = {
    ...Program.environment(home),
    AWS_ACCESS_KEY_ID: "key",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_ENDPOINT_URL: "http://127.0.0.1:9",
    IBSR_EXPORT_DEADLINE: "3s",
    IBSR_EXPORT_STATE_DIR: join(home, "state"),
    ...Object.fromEntries(Array.from({ length: random.below(3) }, () => variable(random)))
  }
  const fault = Program.fault(await Program.run(args, env, home))
  return fault === undefined ? [] : [`${fault}\n  ${JSON.stringify(args)}\n  ${JSON.stringify(env)}`]
}
