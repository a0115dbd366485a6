import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { StrictS3, writer } from "../strict-s3/StrictS3.ts"

/** A fixed random seed, and enough memory to avoid garbage collection; see warm.cjs. */
const deterministic = ["--random-seed=1", "--min-semi-space-size=64", "--initial-old-space-size=512"]

/** Exits with 0 if V8 accepts the compiled code of a program. */
const check = `
  const [program, compiled] = process.argv.slice(1).map((path) => require("node:fs").readFileSync(path))
  const script = new (require("node:vm").Script)(program.toString("latin1"), { cachedData: compiled })
  process.exit(script.cachedDataRejected ? 1 : 0)`

const execute = async (argv: ReadonlyArray<string>) => {
  const [command = "", ...rest] = argv
  const { accessKeyId, secretAccessKey } = writer
  const env = {
    PATH: process.env["PATH"],
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey
  }
  const [code] = (await once(spawn(command, rest, { env, stdio: ["ignore", "ignore", "inherit"] }), "close")) as [
    number | null
  ]
  if (code !== 0) throw new Error(`${argv.join(" ")}: exit code ${code}`)
}

/**
 * Compiles `program` in a folder to `compiled`, by running two uploads to a store on loopback. The second one knows the
 * files of the first. The compiled code then covers the functions that such runs use. The random seed is fixed and the
 * environment is empty, so that the result is the same everywhere.
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
      await execute([...node, ...deterministic, warm, ...files, "s3", ...flags])
    }
    for (const path of [input, state]) rmSync(path, { recursive: true })
    // V8 silently ignores compiled code that it cannot use: the binary would then be slow
    await execute([...node, "-e", check, ...files])
  } finally {
    await store.stop()
  }
}
