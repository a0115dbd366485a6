/** Objects on real servers, fetched and hashed by independent tools. */
import { describe, expect, inject, it } from "vitest"
import { mixedFiles } from "../fixtures/MixedFiles.ts"
import { tree } from "../fixtures/Tree.ts"
import { run } from "./BuiltProgram.ts"
import { canFetch, createBucket, sha256Of } from "./RealBucket.ts"

const real = inject("servers")

describe.skipIf(real.length === 0 || !canFetch)("on a real server", () => {
  it.each(real)("a run stores 200 files unchanged on $name", { timeout: 180_000 }, async (server) => {
    const bucket = await createBucket(server)
    const files = mixedFiles()
    const args = [
      "s3",
      "--input",
      tree(files),
      "--bucket",
      bucket.name,
      "--prefix",
      "p q",
      "--endpoint",
      server.endpoint
    ]
    const env = { AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey }
    const result = await run(args, { env })
    expect(result.code, result.stdout).toBe(0)

    const names = Object.keys(files)
    expect(names).toHaveLength(200)
    for (let first = 0; first < names.length; first += 8) {
      await Promise.all(
        names.slice(first, first + 8).map(async (name) => {
          expect(await bucket.sha256(`p q/${name}`), name).toBe(sha256Of(files[name]!))
        })
      )
    }
  })
})
