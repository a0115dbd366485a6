/**
 * Uploads many files to a store that mutates its responses. Each file that the program counts as stored must be stored.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { seeded } from "../simulate/Random.ts"
import * as AnswerServer from "./AnswerServer.ts"
import * as Program from "./Program.ts"

/** The number of files in one run. Each gets a different answer. */
export const filesPerRun = 100

/** Returns the problems found. `home` must be an empty directory. */
export const fuzz = async (seed: number, home: string): Promise<ReadonlyArray<string>> => {
  const random = seeded(seed)
  const server = await AnswerServer.start(random)
  const [input, stateDir] = [join(home, "input"), join(home, "state")]
  mkdirSync(input)
  const contents = new Map(
    Array.from({ length: filesPerRun }, (_, at) => [`${at}.txt`, `${random.next()}\n`.repeat(1 + random.below(50))])
  )
  for (const [name, content] of contents) writeFileSync(join(input, name), content)
  const args = ["s3", "--input", input, "--include=*", "--bucket=b", "--prefix=p", "--endpoint", server.endpoint]
  const limits = ["--state-dir", stateDir, "--max-retries=0", "--timeout=2s", "--deadline=30s", "--concurrency=8"]
  const env = { ...Program.environment(home), AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" }
  const ended = await Program.run([...args, ...limits], env, home)
  server.stop()
  const fault = Program.fault(ended)
  const problems = fault === undefined ? [] : [fault]
  const acknowledged = existsSync(join(stateDir, "ledger.db")) ? acknowledgedIn(join(stateDir, "ledger.db")) : []
  for (const name of acknowledged) {
    const path = `/b/p/${name}`
    if (server.objects.get(path)?.toString() === contents.get(name)) continue
    problems.push(`${name} counts as stored after ${JSON.stringify(server.answers.get(path))}`)
  }
  if (ended.code === 0 && acknowledged.length < filesPerRun) problems.push("exit code 0, but not all files are stored")
  return problems
}

const acknowledgedIn = (path: string): ReadonlyArray<string> => {
  const ledger = new DatabaseSync(path)
  try {
    return ledger
      .prepare("SELECT path FROM files WHERE acknowledged_at IS NOT NULL")
      .all()
      .map((row) => String(row["path"]))
  } finally {
    ledger.close()
  }
}
