/** What a host may do with the README's policy for one prefix, which is to write there and nothing else. */
import { DeleteObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, inject, it } from "vitest"
import { statusOf, sdkClient } from "../fakes/strict-s3/Clients.ts"
import { putAndAbort, putOnly } from "../fixtures/Policy.ts"
import { type AccessKey, userWith } from "../fixtures/real-servers/Users.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { canFetch, createBucket, type RealBucket, sha256Of } from "./RealBucket.ts"
import { type RunResult, report, start, until } from "./BuiltProgram.ts"
import { startRelay } from "./TcpRelay.ts"
import { isKnownServer, behaviourOf } from "./ServerBehaviour.ts"

const MiB = 1024 ** 2

const prefix = "ibsr/host-17/snapshots"

const small = { "a.jsonl": '{"a":1}\n' }
/** Three parts. */
const big = { "big.jsonl": Buffer.alloc(11 * MiB, '{"big":true}\n') }

interface Change {
  readonly bucket?: string
  readonly prefix?: string
  readonly endpoint?: string
  readonly login?: AccessKey
  readonly env?: NodeJS.ProcessEnv
}

/** Why a run failed: its exit code, and the store's answer. */
const refusal = (finished: RunResult) => {
  const { failures, result } = report(finished)
  return [result.exitCode, `${failures[0]?.status} ${failures[0]?.code}`]
}

const real = inject("servers")

describe.skipIf(real.length === 0 || !canFetch)("with a put-only policy", () => {
  describe.each(real)("on $name", (server) => {
    const behaviour = behaviourOf(server.name)
    let owned: RealBucket
    let user: AccessKey

    beforeAll(async () => {
      owned = await createBucket(server)
      user = await userWith(server, owned.bucket, putOnly(owned.bucket, prefix))
    })

    const begin = (input: string, flags: ReadonlyArray<string>, change: Change = {}) => {
      const target = { bucket: owned.bucket, prefix, endpoint: server.endpoint, login: user, ...change }
      const where = ["--bucket", target.bucket, "--prefix", target.prefix, "--endpoint", target.endpoint]
      return start(
        [
          "s3",
          "--input",
          input,
          ...where,
          "--part-size=5MiB",
          "--output=json",
          "--verbose",
          ...behaviour.flags,
          ...flags
        ],
        {
          env: {
            AWS_ACCESS_KEY_ID: target.login.accessKeyId,
            AWS_SECRET_ACCESS_KEY: target.login.secretAccessKey,
            ...change.env
          }
        }
      )
    }
    const upload = (files: Parameters<typeof tree>[0], flags: ReadonlyArray<string> = [], change?: Change) =>
      begin(tree(files), flags, change).finished

    const ends = (code: number, result: RunResult) => {
      expect(result.code, result.stdout + result.stderr).toBe(code)
      return report(result)
    }

    it("stores files, also in parts, and sends nothing when nothing is new", async () => {
      const relay = await startRelay(server.endpoint)
      const files = { ...small, "2026/b c.jsonl": '{"b":2}\n', ...big }
      const input = tree(files)
      const state = ["--state-dir", emptyDirectory()]
      ends(0, await begin(input, state, { endpoint: relay.endpoint }).finished)
      for (const [name, content] of Object.entries(files)) {
        expect(await owned.sha256(`${prefix}/${name}`), name).toBe(sha256Of(content))
      }
      const { connections } = relay
      const { totals } = ends(0, await begin(input, state, { endpoint: relay.endpoint }).finished)
      expect(totals).toMatchObject({ uploaded: 0, unchanged: 3 })
      expect(relay.connections).toBe(connections)
    })

    it.each([
      ["in one request", small],
      ["in parts", big]
    ])("says which permission is missing outside of the prefix: %s", async (_, files) => {
      const result = await upload(files, [], { prefix: "ibsr/host-18/snapshots" })
      expect(refusal(result)).toEqual([22, "403 AccessDenied"])
      expect(report(result).failures[0]?.hint).toContain("s3:PutObject")
    })

    it("tells a bucket that is gone", async () => {
      const gone = await createBucket(server)
      const login = await userWith(server, gone.bucket, putOnly(gone.bucket, prefix))
      await gone.remove()
      for (const files of [small, big]) {
        expect(refusal(await upload(files, [], { bucket: gone.bucket, login }))).toEqual([23, "404 NoSuchBucket"])
      }
    })

    it("tells a bucket that never was as well as the server does", async () => {
      expect(refusal(await upload(small, [], { bucket: `${owned.bucket}-typo` }))).toEqual(behaviour.unknownBucket)
    })

    it.each([
      ["SignatureDoesNotMatch", { secretAccessKey: "not-the-secret" }],
      ["InvalidAccessKeyId", { accessKeyId: "nobody-known" }]
    ])("tells credentials that are wrong: %s", async (code, wrong) => {
      const result = await upload(small, [], { login: { ...user, ...wrong } })
      expect(refusal(result)).toEqual([21, `403 ${code}`])
    })

    it("asks for encryption with --sse s3, in one request and in parts", async () => {
      const files = { "encrypted/a.jsonl": small["a.jsonl"], "encrypted/big.jsonl": big["big.jsonl"] }
      const result = await upload(files, ["--sse=s3"])
      ends(0, result)
      expect(report(result).store?.unencrypted).toBe(behaviour.encryption === undefined)
      for (const [name, content] of Object.entries(files)) {
        expect(await owned.sha256(`${prefix}/${name}`), name).toBe(sha256Of(content))
        expect(await owned.encryption(`${prefix}/${name}`), name).toBe(behaviour.encryption)
      }
    })

    it.each([
      ["in one request", "once.jsonl", small["a.jsonl"], 11],
      ["in parts", "once-big.jsonl", big["big.jsonl"], behaviour.multipartOverwriteExit]
    ] as const)("creates an object only once with --no-overwrite: %s", async (_, name, content, code) => {
      const input = tree({ [name]: content })
      const flags = ["--no-overwrite", "--state-dir", emptyDirectory()]
      ends(0, await begin(input, flags).finished)
      const again = await begin(input, [...flags, "--force"]).finished
      ends(code, again)
      if (code === 0) return
      expect(refusal(again)).toEqual([11, "412 PreconditionFailed"])
      // only the completion is refused, when the parts are there already
      const left = report(again).openMultipartUploads.map(({ uploadId }) => uploadId)
      expect(left).toHaveLength(name === "once.jsonl" ? 0 : 1)
      expect(await owned.openUploads(`${prefix}/${name}`)).toEqual(left)
    })

    it("keeps an upload when a signal comes, and the next run goes on with it", async () => {
      const own = await createBucket(server)
      const login = await userWith(server, own.bucket, putOnly(own.bucket, prefix))
      const key = `${prefix}/big.jsonl`
      const input = tree(big)
      const relay = await startRelay(server.endpoint)
      const change = { bucket: own.bucket, endpoint: relay.endpoint, login }
      const state = ["--grace=1s", "--state-dir", emptyDirectory()]

      relay.passBytes = MiB
      const { child, finished } = begin(input, state, change)
      await until(() => relay.cutConnections > 0)
      child.kill("SIGTERM")
      const { keptUploads, openMultipartUploads } = ends(143, await finished)
      expect(openMultipartUploads).toEqual([])
      expect(keptUploads.map((kept) => kept.key)).toEqual([key])
      expect(await own.openUploads(key)).toEqual(keptUploads.map(({ uploadId }) => uploadId))

      relay.passBytes = Infinity
      ends(0, await begin(input, state, change).finished)
      expect(await own.sha256(key)).toBe(sha256Of(big["big.jsonl"]))
      expect(await own.openUploads(key)).toEqual([])
    })

    it.each([
      ["names the upload of a file that is gone, if it may not abort it", putOnly, 1],
      ["aborts the upload of a file that is gone", putAndAbort, 0]
    ] as const)("%s", async (_, policy, left) => {
      const own = await createBucket(server)
      const login = await userWith(server, own.bucket, policy(own.bucket, prefix))
      const key = `${prefix}/big.jsonl`
      const input = tree(big)
      const relay = await startRelay(server.endpoint)
      const change = { bucket: own.bucket, endpoint: relay.endpoint, login }
      const state = ["--grace=1s", "--state-dir", emptyDirectory()]

      relay.passBytes = MiB
      const { child, finished } = begin(input, state, change)
      await until(() => relay.cutConnections > 0)
      child.kill("SIGTERM")
      ends(143, await finished)

      relay.passBytes = Infinity
      rmSync(join(input, "big.jsonl"))
      // it was rotated away before it was stored
      const { openMultipartUploads } = ends(41, await begin(input, state, change).finished)
      expect(openMultipartUploads.map((open) => open.key)).toEqual(Array(left).fill(key))
      for (const { reason } of openMultipartUploads) expect(reason).toContain("AccessDenied")
      expect(await own.openUploads(key)).toEqual(openMultipartUploads.map(({ uploadId }) => uploadId))
    })

    it.each(behaviour.roles)("writes with a session that STS gives for %s", async (arn) => {
      const sts = await startRelay(server.endpoint)
      const env = { AWS_ENDPOINT_URL_STS: sts.endpoint, AWS_REGION: server.region }
      const role = ["--assume-role-arn", arn]
      ends(0, await upload({ "session.jsonl": "{}\n" }, role, { env }))
      expect(sts.connections).toBeGreaterThan(0)
      expect(await owned.sha256(`${prefix}/session.jsonl`)).toBe(sha256Of("{}\n"))
      const outside = await upload(small, role, { env, prefix: "ibsr/host-18/snapshots" })
      expect(refusal(outside)).toEqual([22, "403 AccessDenied"])
    })

    // That the tests above prove something.
    it.skipIf(!isKnownServer(server.name))("may neither list nor delete", async () => {
      const client = sdkClient({ ...server, ...user })
      const object = { Bucket: owned.bucket, Key: `${prefix}/a.jsonl` }
      const listing = new ListObjectsV2Command({ Bucket: owned.bucket, Prefix: prefix })
      expect(await statusOf(client.send(listing))).toBe("403 AccessDenied")
      expect(await statusOf(client.send(new DeleteObjectCommand(object)))).toBe("403 AccessDenied")
      client.destroy()
    })
  })
})
