/** Runs `verify` on a copy of the bucket and on the bucket itself. Both must give the same result. */
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3"
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { dirname, join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { owner, StrictS3, writer } from "../../scripts/strict-s3/StrictS3.ts"
import type { Verification } from "../../src/report/Verification.ts"
import { realServers } from "../fixtures/real-servers/Installed.ts"
import { sdkClient } from "../fixtures/SdkClient.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { ending, run, type RunResult, s3 } from "./BuiltProgram.ts"
import { createBucket } from "./RealBucket.ts"
import { stopStore } from "./Store.ts"

const prefix = "ibsr/host/snapshots/"
const directory = "ibsr-20261122-141500Z/"
const start = Date.UTC(2026, 10, 22, 14) / 1000
const hourName = (hour: number) => `${directory}snapshot_20261122${14 + hour}.jsonl`
const hourText = (hour: number) =>
  Array.from({ length: 60 }, (_, minute) => {
    const header = { version: 5, ts_unix_sec: start + 3600 * hour + 60 * minute, interval_sec: 60, run_id: "r" }
    return `${JSON.stringify({ ...header, buckets: "x".repeat(500) })}\n`
  }).join("")
const files = () => ({
  ...Object.fromEntries([0, 1, 2, 3].map((hour) => [hourName(hour), hourText(hour)])),
  [`${directory}status.jsonl`]: "{}\n"
})

const stores: Array<StrictS3> = []
afterEach(async () => {
  for (const store of stores.splice(0)) await store.stop()
})

/** A bucket after an upload by a user who may only put objects. */
const uploaded = async (...flags: ReadonlyArray<string>) => {
  const store = await StrictS3.start()
  stores.push(store)
  const result = await run(s3(tree(files()), store.endpoint, "--manifest", ...flags))
  expect(result.code, result.stdout + result.stderr).toBe(0)
  return store
}

const keysOf = ({
  accessKeyId,
  secretAccessKey
}: {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}) => ({
  env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
})
const noKeys = { env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined } }

const verifyBucket = (endpoint: string, user = owner, ...flags: ReadonlyArray<string>) =>
  run(["verify", `s3://snapshots/${prefix}`, "--endpoint", endpoint, ...flags], keysOf(user))

/** Copies the bucket to a directory. */
const sync = (store: StrictS3) => {
  const root = emptyDirectory()
  for (const key of store.keys()) {
    const path = join(root, key.slice(prefix.length))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, store.object(key)!.body)
  }
  return root
}

const kindsIn = (result: RunResult) =>
  (JSON.parse(result.stdout) as Verification).directories.flatMap(({ findings }) =>
    findings.map(({ file, kind }) => `${kind} ${file}`)
  )

describe("verify", () => {
  it("proves that an upload is complete, in the bucket and, without credentials, in a copy of it", async () => {
    const store = await uploaded()
    const inBucket = await verifyBucket(store.endpoint)
    expect(inBucket.stdout + inBucket.stderr).toContain("exit 0 ok: 5 objects")
    expect(inBucket.code).toBe(0)
    const copy = await run(["verify", sync(store)], noKeys)
    expect(copy.code, copy.stdout).toBe(0)
    expect(copy.stdout.split("\n")[1]).toMatch(
      /^ibsr-20261122-141500Z\/ +5 .* 2026-11-22T14:00:00Z +2026-11-22T17:59:00Z$/
    )
    expect(copy.stdout).toBe(inBucket.stdout)
    expect(copy.stderr).toBe("")
  })

  it.each<readonly [string, number, string, (body: Buffer) => Buffer | undefined]>([
    ["a removed object", 43, `missing ${hourName(1)}`, () => undefined],
    [
      "a flipped byte",
      44,
      `differs ${hourName(1)}`,
      (body) => Buffer.from(String(body).replace("x}", "y}").replace("xx", "xy"))
    ],
    ["a cut line", 44, `shorter ${hourName(1)}`, (body) => body.subarray(body.indexOf("\n") + 1)]
  ])("finds and names %s", async (_, code, expected, damage) => {
    const store = await uploaded()
    const root = sync(store)
    const path = join(root, hourName(1))
    const damaged = damage(readFileSync(path))
    if (damaged === undefined) rmSync(path)
    else writeFileSync(path, damaged)
    const result = await run(["verify", "--output=json", root], noKeys)
    expect(result.code, result.stderr).toBe(code)
    expect(kindsIn(result)).toContain(expected)
    expect(ending(result)).toContain(hourName(1))

    const client = sdkClient({ endpoint: store.endpoint, region: "us-east-1", ...owner })
    const object = { Bucket: "snapshots", Key: prefix + hourName(1) }
    await (damaged === undefined
      ? client.send(new DeleteObjectCommand(object))
      : client.send(new PutObjectCommand({ ...object, Body: damaged })))
    const inBucket = await verifyBucket(store.endpoint, owner, "--output=json")
    expect([inBucket.code, kindsIn(inBucket)]).toEqual([code, kindsIn(result)])
  })

  it("exits 22 with the permissions that a reader needs, if the user may only write", async () => {
    const store = await uploaded()
    const result = await verifyBucket(store.endpoint, writer)
    expect(result.code).toBe(22)
    expect(ending(result)).toContain("s3:ListBucket on the bucket and s3:GetObject")
  })

  it("never uses its permission to read for an upload", async () => {
    const store = await uploaded()
    await stopStore(stores.pop()!)
    expect(store.requests.map(({ operation }) => operation)).toEqual(Array(6).fill("PutObject"))
  })

  it("exits 52 without a directory, and 60 without an argument or with two", async () => {
    const missing = await run(["verify", "/nonexistent"])
    expect([missing.code, ending(missing)]).toEqual([52, expect.stringContaining("/nonexistent")])
    for (const args of [[], ["a", "b"], ["s3://"], ["s3://b/a//c"]]) {
      const result = await run(["verify", ...args])
      expect(result.code, args.join(" ")).toBe(60)
    }
  })

  it("requests the rest of an object when a response breaks off", async () => {
    const body = Buffer.from(hourText(0).repeat(20))
    const ranges: Array<string | undefined> = []
    const server = createServer((request, response) => {
      if (request.url?.includes("list-type") === true) {
        response.setHeader("content-type", "application/xml")
        return response.end(
          `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>p/a.jsonl</Key><Size>${body.length}</Size></Contents></ListBucketResult>`
        )
      }
      ranges.push(request.headers.range)
      const from = Number(/\d+/.exec(request.headers.range ?? "0")?.[0])
      const rest = body.subarray(from)
      response.writeHead(from === 0 ? 200 : 206, { etag: '"e"', "content-length": rest.length })
      if (ranges.length < 3)
        response.write(rest.subarray(0, 100_000), () => setTimeout(() => request.socket.destroy(), 50))
      else response.end(rest)
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as AddressInfo
    const result = await run(["verify", "s3://b/p", "--endpoint", `http://127.0.0.1:${port}`, "--without-manifest"])
    server.close()
    expect(result.code, result.stdout + result.stderr).toBe(0)
    expect(ranges).toEqual([undefined, "bytes=100000-", "bytes=200000-"])
  })
})

const real = (await realServers()).filter(({ isVariant }) => !isVariant)

describe.skipIf(real.length === 0)("verify on a real server", () => {
  it.each(real)(
    "proves that an upload to $name is complete, and finds changed objects",
    { timeout: 120_000 },
    async (server) => {
      const bucket = await createBucket(server)
      const input = tree({
        ...files(),
        "large/a.bin": createHash("sha512").update("a").digest().toString("hex").repeat(200_000)
      })
      const where = ["--timeout=10s", "--endpoint", server.endpoint, "--region", server.region]
      const target = [...where, "--bucket", bucket.name, "--prefix=p q"]
      const upload = await run(["s3", "--input", input, "--include=**", "--manifest", ...target], keysOf(server))
      expect(upload.code, upload.stdout).toBe(0)
      const verify = ["verify", `s3://${bucket.name}/p q`, ...where]
      const proven = await run(verify, keysOf(server))
      expect(proven.code, proven.stdout + proven.stderr).toBe(0)
      expect(proven.stdout).toContain("6 objects")
      // the object was replaced by content that the manifest does not describe
      const other = tree({ [hourName(1)]: hourText(1).replace("xx", "xy") })
      const replaced = await run(["s3", "--input", other, ...target], keysOf(server))
      expect(replaced.code, replaced.stdout).toBe(0)
      const changed = await run([...verify, "--output=json"], keysOf(server))
      expect([changed.code, kindsIn(changed)]).toEqual([44, [`differs ${hourName(1)}`]])
    }
  )
})
