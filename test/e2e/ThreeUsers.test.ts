/**
 * Simulates a week on a real server with three users: a host that may only put objects, a reader that may list and read
 * them, and the owner, who damages some. The reader must find all damage, and nothing else.
 */
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3"
import { appendFileSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import * as RunDirectory from "../../src/domain/RunDirectory.ts"
import type { Verification } from "../../src/report/Verification.ts"
import { realServers } from "../fixtures/real-servers/Installed.ts"
import type { Policy } from "../fixtures/Policy.ts"
import { type AccessKey, userWith } from "../fixtures/real-servers/Users.ts"
import { sdkClient } from "../fixtures/SdkClient.ts"
import { emptyDirectory } from "../fixtures/Tree.ts"
import { closedPort, run } from "./BuiltProgram.ts"
import { createBucket, type RealBucket } from "./RealBucket.ts"

const prefix = "ibsr/host-17/snapshots"
const [minute, hour] = [60_000, 3_600_000]

/** Makes the program use the simulated time. The program learns the server's time from the first response. */
const preload = `data:text/javascript,${encodeURIComponent("Date.now = () => Number(process.env.TEST_NOW)")}`

const digits = (millis: number) => new Date(millis).toISOString().replaceAll(/[-:]/g, "")

/** A collector that writes a line each minute, deletes snapshots after two days, and was restarted now and then. */
const collector = (input: string, start: number) => {
  let [now, directory] = [start, ""]
  return (until: number, isRestarted: boolean) => {
    if (isRestarted || directory === "") {
      directory = `ibsr-${digits(now).slice(0, 8)}-${digits(now).slice(9, 15)}Z`
      mkdirSync(join(input, directory))
    }
    for (; now < until; now += minute) {
      const line = {
        version: 7,
        ts_unix_sec: now / 1000,
        interval_sec: 60,
        run_id: directory,
        buckets: "x".repeat(200)
      }
      for (const name of [`snapshot_${digits(now).replace("T", "").slice(0, 10)}.jsonl`, "status.jsonl"]) {
        const path = join(input, directory, name)
        appendFileSync(path, `${JSON.stringify(line)}\n`)
        utimesSync(path, now / 1000, now / 1000)
      }
    }
    const oldest = `snapshot_${digits(now - 48 * hour)
      .replace("T", "")
      .slice(0, 10)}.jsonl`
    for (const name of readdirSync(join(input, directory)))
      if (name.startsWith("snapshot_") && name < oldest) rmSync(join(input, directory, name))
  }
}

const minio = (await realServers()).filter(({ name }) => name === "MinIO")

describe.skipIf(minio.length === 0)("after a week with an outage", () => {
  const server = minio[0]!
  let bucket: RealBucket
  let reader: AccessKey
  let writer: AccessKey

  const keysOf = ({ accessKeyId, secretAccessKey }: AccessKey) => ({
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey
  })

  beforeAll(async () => {
    bucket = await createBucket(server)
    const target = ["--bucket", bucket.name, "--prefix", prefix]
    const printed = await run(["policy", "--for", "aws", ...target])
    expect(printed.code, printed.stderr).toBe(0)
    writer = await userWith(server, bucket.name, JSON.parse(printed.stdout) as Policy)
    reader = await userWith(server, bucket.name, {
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: "s3:ListBucket", Resource: `arn:aws:s3:::${bucket.name}` },
        { Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket.name}/${prefix}/*` }
      ]
    })

    const [input, stateDir] = [emptyDirectory(), emptyDirectory()]
    const end = Math.floor(Date.now() / minute) * minute
    const write = collector(input, end - 7 * 24 * hour)
    const dead = `http://127.0.0.1:${await closedPort()}`
    // runs start every six hours, and four consecutive runs cannot reach the store
    for (let at = 1; at <= 28; at++) {
      const now = end - (28 - at) * 6 * hour
      write(now, at % 9 === 0)
      const isOutage = at >= 12 && at < 16
      const endpoint = isOutage ? dead : server.endpoint
      const flags = ["--input", input, "--state-dir", stateDir, "--endpoint", endpoint, "--manifest", "--max-retries=2"]
      const result = await run(["s3", ...flags, ...target], {
        preload,
        env: { ...keysOf(writer), TEST_NOW: String(now) }
      })
      expect(result.code, result.stdout + result.stderr).toBe(isOutage ? 30 : 0)
    }
  }, 300_000)

  /** Downloads everything as the reader, as `aws s3 sync` does. */
  const sync = async () => {
    const root = emptyDirectory()
    const client = sdkClient({ ...server, ...reader })
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket.name, Prefix: `${prefix}/` }))
    expect(Contents.length).toBeLessThan(1000)
    for (const { Key = "" } of Contents) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket.name, Key }))
      const path = join(root, Key.slice(prefix.length + 1))
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, await Body!.transformToByteArray())
    }
    return root
  }

  /** Verifies a copy and the bucket. Both results must be equal. */
  const verify = async () => {
    const copy = await run(["verify", await sync(), "--output=json"], {
      env: keysOf({ accessKeyId: "", secretAccessKey: "" })
    })
    const url = `s3://${bucket.name}/${prefix}`
    const there = await run(["verify", url, "--endpoint", server.endpoint, "--output=json"], { env: keysOf(reader) })
    const [a, b] = [copy, there].map(({ stdout }) => JSON.parse(stdout) as Verification)
    expect([there.code, b!.directories]).toEqual([copy.code, a!.directories])
    const findings = a!.directories.flatMap((row) => row.findings.map(({ file, kind }) => `${kind} ${file}`))
    return { code: copy.code, findings, directories: a!.directories }
  }

  it("finds nothing in the undisturbed bucket", async () => {
    const { code, directories, findings } = await verify()
    expect([code, findings]).toEqual([0, []])
    expect(directories.length).toBe(4)
    expect(directories.every(({ directory }) => RunDirectory.parse(directory.slice(0, -1)) !== undefined)).toBe(true)
    expect(directories.reduce((sum, { objects }) => sum + objects, 0)).toBeGreaterThan(7 * 24)
  })

  it("does not let the host read", async () => {
    const url = `s3://${bucket.name}/${prefix}`
    const result = await run(["verify", url, "--endpoint", server.endpoint], { env: keysOf(writer) })
    expect(result.code).toBe(22)
  })

  it.each<readonly [string, number, ReadonlyArray<string>, (body: Buffer) => Buffer | undefined]>([
    ["a removed object", 43, ["missing", "hole"], () => undefined],
    ["a flipped byte", 44, ["differs"], (body) => Buffer.from(String(body).replace("xx", "xy"))],
    ["a cut line", 44, ["shorter", "hole"], (body) => body.subarray(0, body.lastIndexOf("\n", body.length - 2) + 1)],
    ["an emptied hour", 44, ["shorter", "hole"], () => Buffer.alloc(0)]
  ])(
    "finds %s",
    async (_, code, kinds, damage) => {
      const client = sdkClient(server)
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket.name }))
      const snapshots = Contents.map(({ Key = "" }) => Key).filter((key) => key.includes("/snapshot_"))
      const Key = snapshots[Math.floor(snapshots.length / 3)]!
      const object = { Bucket: bucket.name, Key }
      const before = Buffer.from(await (await client.send(new GetObjectCommand(object))).Body!.transformToByteArray())
      const damaged = damage(before)
      await (damaged === undefined
        ? client.send(new DeleteObjectCommand(object))
        : client.send(new PutObjectCommand({ ...object, Body: damaged })))
      const found = await verify()
      const name = Key.slice(prefix.length + 1)
      expect([found.code, found.findings]).toEqual([
        code,
        kinds.map((kind) => `${kind} ${kind === "hole" ? `${dirname(name)}/` : name}`)
      ])
      await client.send(new PutObjectCommand({ ...object, Body: before }))
      expect((await verify()).code).toBe(0)
    },
    60_000
  )
})
