import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { StrictS3, writer } from "../../test/fakes/StrictS3.ts"

/** No chance, and memory enough to collect no garbage; see warm.cjs. */
const steady = ["--random-seed=1", "--min-semi-space-size=64", "--initial-old-space-size=512"]

/** Ends well if V8 takes the compiled code of a program. */
const accept = `
  const [program, compiled] = process.argv.slice(1).map((path) => require("node:fs").readFileSync(path))
  const script = new (require("node:vm").Script)(program.toString("latin1"), { cachedData: compiled })
  process.exit(script.cachedDataRejected ? 1 : 0)`

const execute = async (words: ReadonlyArray<string>) => {
  const [command = "", ...rest] = words
  const { accessKeyId, secretAccessKey } = writer
  const env = {
    PATH: process.env["PATH"],
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey
  }
  const [code] = (await once(spawn(command, rest, { env, stdio: ["ignore", "ignore", "inherit"] }), "close")) as [
    number | null
  ]
  if (code !== 0) throw new Error(`${words.join(" ")}: exit code ${code}`)
}

/**
 * Makes `compiled` of `program` in a folder, by uploads to a store on loopback, of which the second knows of the first:
 * what such a run does is what the compiled code has to hold. Chance is fixed, and the environment is empty, so that it
 * comes out the same everywhere.
 */
export const compile = async (node: ReadonlyArray<string>, folder: string): Promise<void> => {
  const store = await StrictS3.start({ buckets: ["snapshots"] })
  try {
    const [input, state] = [join(folder, "input"), join(folder, "state")]
    mkdirSync(input)
    const flags = ["--input", input, "--bucket", "snapshots", "--endpoint", store.endpoint, "--state-dir", state]
    const warm = fileURLToPath(new URL("warm.cjs", import.meta.url))
    const files = [join(folder, "program"), join(folder, "compiled")]
    for (const hour of ["00", "01"]) {
      writeFileSync(join(input, `snapshot_20260101${hour}.jsonl`), '{"ts":1767225600}\n')
      await execute([...node, ...steady, warm, ...files, "s3", ...flags])
    }
    for (const left of [input, state]) rmSync(left, { recursive: true })
    // V8 does not complain of code that it cannot use: the binary would just be slow
    await execute([...node, "-e", accept, ...files])
  } finally {
    await store.stop()
  }
}
