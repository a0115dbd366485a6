/** Objects on real servers, fetched and hashed by independent tools. */
import { describe, expect, it } from "vitest"
import { mixedFiles } from "../fixtures/MixedFiles.ts"
import { realServers } from "../fixtures/real-servers/Installed.ts"
import type { RealServer } from "../fixtures/real-servers/RealServer.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { report, run, start, until } from "./BuiltProgram.ts"
import { canFetch, createBucket, type RealBucket, sha256Of } from "./RealBucket.ts"
import { startRelay } from "./TcpRelay.ts"

const real = await realServers()

const MiB = 1024 ** 2

const uploadTo = (server: RealServer, bucket: RealBucket, input: string, flags: ReadonlyArray<string> = []) => {
  const target = ["--bucket", bucket.name, "--prefix", "p q", "--endpoint", server.endpoint, "--region", server.region]
  const env = { AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey }
  return [["s3", "--input", input, ...target, "--output=json", "--verbose", ...flags], { env }] as const
}

const expectStored = async (bucket: RealBucket, files: Readonly<Record<string, string | Uint8Array>>) => {
  const names = Object.keys(files)
  for (let first = 0; first < names.length; first += 8) {
    await Promise.all(
      names.slice(first, first + 8).map(async (name) => {
        expect(await bucket.sha256(`p q/${name}`), name).toBe(sha256Of(files[name]!))
      })
    )
  }
}

const oddNames = [
  "a b",
  "two  spaces",
  "a+b",
  "50%",
  "%2F",
  "%41",
  "#1?x=y&z",
  "quo'te\"s",
  "<a>",
  "[b]{c}",
  "back\\slash",
  "e\u0301",
  "é",
  "日本/ж",
  "😀",
  ".hidden",
  "..two",
  "~!*()$;:@,=",
  "n".repeat(200)
]

describe.skipIf(real.length === 0 || !canFetch)("on a real server", () => {
  it.each(real)("a run stores 200 files unchanged on $name", { timeout: 180_000 }, async (server) => {
    const bucket = await createBucket(server)
    const files = mixedFiles()
    expect(Object.keys(files)).toHaveLength(200)
    const result = await run(...uploadTo(server, bucket, tree(files)))
    expect(result.code, result.stdout).toBe(0)
    // a process per object takes its time
    await expectStored(bucket, Object.fromEntries(Object.entries(files).filter((_, at) => at % 5 === 0)))
  })

  it.each(real)("a run stores files with odd names on $name, and the next one sends nothing", async (server) => {
    const bucket = await createBucket(server)
    const files = Object.fromEntries(oddNames.map((name) => [`${name}.jsonl`, `{"name":${JSON.stringify(name)}}\n`]))
    const command = uploadTo(server, bucket, tree(files), ["--state-dir", emptyDirectory()])
    const result = await run(...command)
    expect(result.code, result.stdout).toBe(0)
    await expectStored(bucket, files)
    expect(report(await run(...command)).totals).toMatchObject({ uploaded: 0, unchanged: oddNames.length })
  })

  it.each(real)("a run resumes a multipart upload on $name", { timeout: 120_000 }, async (server) => {
    const bucket = await createBucket(server)
    const files = { "big.jsonl": Buffer.alloc(11 * MiB, '{"big":true}\n') }
    const input = tree(files)
    const relay = await startRelay(server.endpoint)
    const flags = ["--part-size=5MiB", "--grace=1s", "--state-dir", emptyDirectory()]
    relay.passBytes = MiB
    const { child, finished } = start(...uploadTo({ ...server, endpoint: relay.endpoint }, bucket, input, flags))
    await until(() => relay.cutConnections > 0)
    child.kill("SIGTERM")
    expect((await finished).code).toBe(143)
    relay.passBytes = Infinity
    const result = await run(...uploadTo({ ...server, endpoint: relay.endpoint }, bucket, input, flags))
    expect(result.code, result.stdout).toBe(0)
    await expectStored(bucket, files)
    expect(await bucket.openUploads("p q/big.jsonl")).toEqual([])
  })
})
