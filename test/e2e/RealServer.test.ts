/** What arrived on real servers, fetched and summed up by tools that are not ours. */
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3"
import { execFile } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { promisify } from "node:util"
import { describe, expect, inject, it } from "vitest"
import { mixedFiles } from "../fixtures/MixedFiles.ts"
import { tree } from "../fixtures/Tree.ts"
import { run } from "./Program.ts"

const real = inject("servers")

/** The SHA-256 of an object, by curl, which signs for itself, and sha256sum. */
const fetchedSum = async (url: string, user: string, region: string) => {
  // Ceph wants the hash of the body named also where there is none
  const noBody = `x-amz-content-sha256: ${createHash("sha256").digest("hex")}`
  const curl = `curl --silent --fail --user "$USER_PAIR" --aws-sigv4 "aws:amz:$REGION:s3" --header "${noBody}"`
  const command = `${curl} "$URL" | sha256sum`
  const env = { ...process.env, USER_PAIR: user, REGION: region, URL: url }
  const { stdout } = await promisify(execFile)("bash", ["-o", "pipefail", "-c", command], { env })
  return stdout.slice(0, 64)
}

describe.skipIf(real.length === 0 || !existsSync("/usr/bin/curl"))("on a real server", () => {
  it.each(real)("200 files arrive on $name byte by byte", { timeout: 180_000 }, async (server) => {
    const { accessKeyId, endpoint, region, secretAccessKey } = server
    const bucket = `e2e-${randomBytes(6).toString("hex")}`
    const client = new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey }
    })
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
    client.destroy()

    const files = mixedFiles()
    const args = ["s3", "--input", tree(files), "--bucket", bucket, "--prefix", "p q", "--endpoint", endpoint]
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
    const ended = await run(args, { env })
    expect(ended.code, ended.stdout).toBe(0)

    const names = Object.keys(files)
    expect(names).toHaveLength(200)
    for (let at = 0; at < names.length; at += 8) {
      await Promise.all(
        names.slice(at, at + 8).map(async (name) => {
          const path = `p q/${name}`.split("/").map(encodeURIComponent).join("/")
          const sum = await fetchedSum(`${endpoint}/${bucket}/${path}`, `${accessKeyId}:${secretAccessKey}`, region)
          expect(sum, name).toBe(createHash("sha256").update(files[name]!).digest("hex"))
        })
      )
    }
  })
})
