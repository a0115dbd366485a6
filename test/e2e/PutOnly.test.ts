/** The README's policy permits a host to write under one prefix, and nothing else. */
import { DeleteObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { type Policy, putAndAbort, putOnly } from "../fixtures/Policy.ts"
import { type AccessKey, userWith } from "../fixtures/real-servers/Users.ts"
import { realServers } from "../fixtures/real-servers/Installed.ts"
import { sdkClient, statusOf } from "../fixtures/SdkClient.ts"
import type { Check } from "../../src/report/Check.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { report, run, type RunResult, start, until } from "./BuiltProgram.ts"
import { canFetch, createBucket, type RealBucket, sha256Of } from "./RealBucket.ts"
import { startRelay } from "./TcpRelay.ts"

const MiB = 1024 ** 2

const prefix = "ibsr/host-17/snapshots"

const small = { "a.jsonl": '{"a":1}\n' }
/** A multipart upload with three parts. */
const big = { "big.jsonl": Buffer.alloc(11 * MiB, '{"big":true}\n') }

/** The differences from the usual upload. */
interface Overrides {
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

const real = (await realServers()).filter(
  ({ behaviour, isVariant, users }) => users !== undefined && behaviour.separatesWrites && !isVariant
)

describe.skipIf(real.length === 0 || !canFetch)("with a put-only policy", () => {
  describe.each(real)("on $name", (server) => {
    const { behaviour } = server
    let bucket: RealBucket
    let user: AccessKey

    beforeAll(async () => {
      bucket = await createBucket(server)
      user = await userWith(server, bucket.name, putOnly(bucket.name, prefix))
    })

    const startUpload = (input: string, flags: ReadonlyArray<string>, overrides: Overrides = {}) => {
      const target = { bucket: bucket.name, prefix, endpoint: server.endpoint, login: user, ...overrides }
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
          ...behaviour.userFlags,
          ...flags
        ],
        {
          env: {
            AWS_ACCESS_KEY_ID: target.login.accessKeyId,
            AWS_SECRET_ACCESS_KEY: target.login.secretAccessKey,
            ...overrides.env
          }
        }
      )
    }
    const upload = (files: Parameters<typeof tree>[0], flags: ReadonlyArray<string> = [], overrides?: Overrides) =>
      startUpload(tree(files), flags, overrides).finished

    const expectExit = (code: number, result: RunResult) => {
      expect(result.code, result.stdout + result.stderr).toBe(code)
      return report(result)
    }

    it("stores files by PutObject and in parts, and sends nothing if nothing has changed", async () => {
      const relay = await startRelay(server.endpoint)
      const files = { ...small, "2026/b c.jsonl": '{"b":2}\n', ...big }
      const input = tree(files)
      const state = ["--state-dir", emptyDirectory()]
      expectExit(0, await startUpload(input, state, { endpoint: relay.endpoint }).finished)
      for (const [name, content] of Object.entries(files)) {
        expect(await bucket.sha256(`${prefix}/${name}`), name).toBe(sha256Of(content))
      }
      const { connections } = relay
      const { totals } = expectExit(0, await startUpload(input, state, { endpoint: relay.endpoint }).finished)
      expect(totals).toMatchObject({ uploaded: 0, unchanged: 3 })
      expect(relay.connections).toBe(connections)
    })

    it.each([
      ["PutObject", small],
      ["multipart upload", big]
    ])("names the missing permission for a key outside the prefix: %s", async (_, files) => {
      const result = await upload(files, [], { prefix: "ibsr/host-18/snapshots" })
      expect(refusal(result)).toEqual([22, "403 AccessDenied"])
      expect(report(result).failures[0]?.hint).toContain("s3:PutObject")
    })

    it.skipIf(behaviour.policy === undefined).each([
      [[], []],
      [["--tag", "team=net"], []],
      [["--acl", "bucket-owner-full-control"], []],
      [[], ["--abort"]]
    ])("stores files with the policy that the program prints for the flags %j and %j", async (flags, ofPolicy) => {
      const where = ["--bucket", bucket.name, "--prefix", prefix]
      const { code, stdout } = await run(["policy", `--for=${behaviour.policy}`, ...where, ...flags, ...ofPolicy])
      expect(code).toBe(0)
      const [policy = ""] = /^\{\n(?:.*\n)*?\}$/m.exec(stdout) ?? []
      const login = await userWith(server, bucket.name, JSON.parse(policy) as Policy)
      expectExit(0, await upload({ ...small, ...big }, flags, { login }))
      const env = { AWS_ACCESS_KEY_ID: login.accessKeyId, AWS_SECRET_ACCESS_KEY: login.secretAccessKey }
      const target = [...where, "--endpoint", server.endpoint, "--input", tree(small)]
      const checked = await run(["check", ...target, ...flags, "--output=json"], { env })
      const { steps } = JSON.parse(checked.stdout) as Check
      const states = steps.filter(({ step }) => ["put", "abort", "privilege"].includes(step)).map(({ state }) => state)
      expect(states, checked.stdout).toEqual(["ok", ofPolicy.length === 0 ? "warn" : "ok", "ok"])
      const outside = await upload(small, flags, { login, prefix: "ibsr/host-18/snapshots" })
      expect(refusal(outside)).toEqual([22, "403 AccessDenied"])
    })

    it("exits 23 for a deleted bucket", async () => {
      const deleted = await createBucket(server)
      const login = await userWith(server, deleted.name, putOnly(deleted.name, prefix))
      await deleted.remove()
      for (const files of [small, big]) {
        expect(refusal(await upload(files, [], { bucket: deleted.name, login }))).toEqual([23, "404 NoSuchBucket"])
      }
    })

    it("reports the server's response for a bucket that never existed", async () => {
      expect(refusal(await upload(small, [], { bucket: `${bucket.name}-typo` }))).toEqual(behaviour.unknownBucket)
    })

    it.each([
      ["SignatureDoesNotMatch", { secretAccessKey: "not-the-secret" }],
      ["InvalidAccessKeyId", { accessKeyId: "nobody-known" }]
    ])("exits 21 for wrong credentials: %s", async (code, wrong) => {
      const result = await upload(small, [], { login: { ...user, ...wrong } })
      expect(refusal(result)).toEqual([21, `403 ${code}`])
    })

    it("requests encryption with --sse s3 by PutObject and in parts", async () => {
      const files = { "encrypted/a.jsonl": small["a.jsonl"], "encrypted/big.jsonl": big["big.jsonl"] }
      const result = await upload(files, ["--sse=s3"])
      expectExit(0, result)
      expect(report(result).store?.unencrypted).toBe(behaviour.encryption === undefined)
      for (const [name, content] of Object.entries(files)) {
        expect(await bucket.sha256(`${prefix}/${name}`), name).toBe(sha256Of(content))
        expect(await bucket.encryption(`${prefix}/${name}`), name).toBe(behaviour.encryption)
      }
    })

    it.each([
      ["PutObject", "once.jsonl", small["a.jsonl"], 11],
      ["multipart upload", "once-big.jsonl", big["big.jsonl"], behaviour.multipartOverwriteExit]
    ] as const)("creates an object once with --no-overwrite: %s", async (_, name, content, code) => {
      const input = tree({ [name]: content })
      const flags = ["--no-overwrite", "--state-dir", emptyDirectory()]
      expectExit(0, await startUpload(input, flags).finished)
      const again = await startUpload(input, [...flags, "--force"]).finished
      expectExit(code, again)
      if (code === 0) return
      expect(refusal(again)).toEqual([11, "412 PreconditionFailed"])
      // the server rejects only the completion, after the parts are stored
      const open = report(again).openMultipartUploads.map(({ uploadId }) => uploadId)
      expect(open).toHaveLength(name === "once.jsonl" ? 0 : 1)
      expect(await bucket.openUploads(`${prefix}/${name}`)).toEqual(open)
    })

    it("keeps an upload on a signal, and the next run resumes it", async () => {
      const ownBucket = await createBucket(server)
      const login = await userWith(server, ownBucket.name, putOnly(ownBucket.name, prefix))
      const key = `${prefix}/big.jsonl`
      const input = tree(big)
      const relay = await startRelay(server.endpoint)
      const overrides = { bucket: ownBucket.name, endpoint: relay.endpoint, login }
      const state = ["--grace=1s", "--state-dir", emptyDirectory()]

      relay.passBytes = MiB
      const { child, finished } = startUpload(input, state, overrides)
      await until(() => relay.cutConnections > 0)
      child.kill("SIGTERM")
      const { keptUploads, openMultipartUploads } = expectExit(143, await finished)
      expect(openMultipartUploads).toEqual([])
      expect(keptUploads.map((kept) => kept.key)).toEqual([key])
      expect(await ownBucket.openUploads(key)).toEqual(keptUploads.map(({ uploadId }) => uploadId))

      relay.passBytes = Infinity
      expectExit(0, await startUpload(input, state, overrides).finished)
      expect(await ownBucket.sha256(key)).toBe(sha256Of(big["big.jsonl"]))
      expect(await ownBucket.openUploads(key)).toEqual([])
    })

    it.each([
      ["reports the upload of a deleted file when aborting is denied", putOnly, 1],
      ["aborts the upload of a deleted file", putAndAbort, 0]
    ] as const)("%s", async (_, policy, openUploads) => {
      const ownBucket = await createBucket(server)
      const login = await userWith(server, ownBucket.name, policy(ownBucket.name, prefix))
      const key = `${prefix}/big.jsonl`
      const input = tree(big)
      const relay = await startRelay(server.endpoint)
      const overrides = { bucket: ownBucket.name, endpoint: relay.endpoint, login }
      const state = ["--grace=1s", "--state-dir", emptyDirectory()]

      relay.passBytes = MiB
      const { child, finished } = startUpload(input, state, overrides)
      await until(() => relay.cutConnections > 0)
      child.kill("SIGTERM")
      expectExit(143, await finished)

      relay.passBytes = Infinity
      rmSync(join(input, "big.jsonl"))
      // the file was deleted before it was stored
      const { openMultipartUploads } = expectExit(41, await startUpload(input, state, overrides).finished)
      expect(openMultipartUploads.map((open) => open.key)).toEqual(Array(openUploads).fill(key))
      for (const { reason } of openMultipartUploads) expect(reason).toContain("AccessDenied")
      expect(await ownBucket.openUploads(key)).toEqual(openMultipartUploads.map(({ uploadId }) => uploadId))
    })

    it.each(behaviour.roles)("uploads with an STS session of %s", async (arn) => {
      const sts = await startRelay(server.endpoint)
      const env = { AWS_ENDPOINT_URL_STS: sts.endpoint, AWS_REGION: server.region }
      const role = ["--assume-role-arn", arn]
      expectExit(0, await upload({ "session.jsonl": "{}\n" }, role, { env }))
      expect(sts.connections).toBeGreaterThan(0)
      expect(await bucket.sha256(`${prefix}/session.jsonl`)).toBe(sha256Of("{}\n"))
      const outside = await upload(small, role, { env, prefix: "ibsr/host-18/snapshots" })
      expect(refusal(outside)).toEqual([22, "403 AccessDenied"])
    })

    // shows that the policy has an effect: otherwise the tests above would prove nothing
    it.skipIf(server.users?.kind === "owner")("denies listing and deletion", async () => {
      const client = sdkClient({ ...server, ...user })
      const object = { Bucket: bucket.name, Key: `${prefix}/a.jsonl` }
      const listing = new ListObjectsV2Command({ Bucket: bucket.name, Prefix: prefix })
      expect(await statusOf(client.send(listing))).toBe("403 AccessDenied")
      expect(await statusOf(client.send(new DeleteObjectCommand(object)))).toBe("403 AccessDenied")
      client.destroy()
    })
  })
})
