import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { mixedFiles } from "../fixtures/MixedFiles.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { ending, metadata, report, run, s3, summary } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const MiB = 1024 ** 2
const prefix = "ibsr/host/snapshots"

describe("an upload", () => {
  it("stores 200 files unchanged under the right keys", async () => {
    const files = mixedFiles()
    const store = await startStore()
    const result = await run(s3(tree(files), store.endpoint))
    expect(result.code, result.stdout).toBe(0)
    expect(store.keys()).toEqual(
      Object.keys(files)
        .map((name) => `${prefix}/${name}`)
        .toSorted()
    )
    expect(Object.keys(files)).toHaveLength(200)
    for (const [name, content] of Object.entries(files)) {
      expect(store.object(`${prefix}/${name}`)?.body.equals(Buffer.from(content)), name).toBe(true)
    }
    expect(store.requests.filter(({ operation }) => operation === "UploadPart")).toHaveLength(8)
    expect(store.requests).toHaveLength(199 + 8 + 2)
    expect(store.openUploads()).toEqual([])
  })

  it("sends each body with its length, one checksum, and a content type", async () => {
    const store = await startStore()
    await run(s3(tree({ "a.jsonl": "{}\n", "big.jsonl": Buffer.alloc(9 * MiB) }), store.endpoint))
    const bodies = store.requests.filter(({ method }) => method === "PUT")
    expect(bodies).toHaveLength(3)
    for (const { headers } of bodies) {
      expect(headers["content-length"]).toMatch(/^\d+$/)
      expect(headers["transfer-encoding"]).toBeUndefined()
      expect(headers["x-amz-content-sha256"]).toMatch(/^[0-9a-f]{64}$/)
      const checksums = Object.keys(headers).filter((name) => /^(x-amz-checksum-.*|content-md5)$/.test(name))
      expect(checksums).toEqual(["x-amz-checksum-sha256"])
    }
    expect(store.object(`${prefix}/a.jsonl`)?.contentType).toBe("application/x-ndjson")
    expect(store.object(`${prefix}/big.jsonl`)?.contentType).toBe("application/x-ndjson")
  })

  it("applies encryption, storage class, ACL, tags and metadata by PutObject and in parts", async () => {
    const store = await startStore()
    const flags =
      "--sse kms --kms-key-id key-1 --storage-class STANDARD_IA --acl bucket-owner-full-control " +
      "--tag host=h+1 --metadata=site=eu --tag kind=a&b --metadata rack=7"
    const result = await run(
      s3(
        tree({ "a.jsonl": "{}\n", "big.jsonl": Buffer.alloc(9 * MiB) }),
        store.endpoint,
        ...flags.split(" "),
        '--kms-context={"purpose":"ibsr"}'
      )
    )
    expect(result.code, result.stdout).toBe(0)
    for (const name of ["a.jsonl", "big.jsonl"]) {
      const stored = store.object(`${prefix}/${name}`)
      expect(stored?.headers).toMatchObject({
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": "key-1",
        "x-amz-server-side-encryption-context": Buffer.from('{"purpose":"ibsr"}').toString("base64"),
        "x-amz-storage-class": "STANDARD_IA",
        "x-amz-acl": "bucket-owner-full-control",
        "x-amz-tagging": "host=h%2B1&kind=a%26b"
      })
      expect(stored?.metadata).toEqual({ site: "eu", rack: "7", ...metadata("final") })
    }
  })

  it("has the bucket in the path, or in the host name with --force-path-style=no", async () => {
    const store = await startStore({ domain: "s3.test" })
    const endpoint = store.endpoint.replace("127.0.0.1", "s3.test")
    // resolves every name to this machine, like a DNS wildcard
    const lookup = `import dns from "node:dns"; dns.lookup = (_, options, done) =>
      options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4)`
    const preload = `data:text/javascript,${encodeURIComponent(lookup)}`
    const input = tree({ "a.jsonl": "{}\n" })
    for (const flags of [["--force-path-style=no"], []]) {
      const result = await run(s3(input, endpoint, ...flags), { preload })
      expect(result.code, result.stdout).toBe(0)
    }
    expect(store.requests.map(({ headers, path }) => [headers["host"]?.split(":")[0], path.split("?")[0]])).toEqual([
      ["snapshots.s3.test", `/${prefix}/a.jsonl`],
      ["s3.test", `/snapshots/${prefix}/a.jsonl`]
    ])
  })

  it("repeats a multipart upload when the checksum of the object is wrong", async () => {
    const store = await startStore()
    let completions = 0
    store.fault = ({ operation }) =>
      operation === "CompleteMultipartUpload" && completions++ === 0 ? { kind: "wrong-checksum" } : undefined
    const result = await run(s3(tree({ "big.jsonl": Buffer.alloc(9 * MiB) }), store.endpoint))
    expect(result.code, result.stdout).toBe(0)
    expect(store.versions(`${prefix}/big.jsonl`)).toHaveLength(2)
  })

  it("checks only once per ledger whether the store honours --no-overwrite", async () => {
    const store = await startStore()
    const input = tree({ "a.jsonl": "1\n" })
    const marker = "ibsr/host/snapshots/ibsr-export.no-overwrite"
    const markersOf = async (stateDir: string) => {
      store.requests.splice(0)
      const flags = ["--no-overwrite", "--state-dir", stateDir, "--include", "*.jsonl"]
      await run(s3(input, store.endpoint, ...flags))
      return store.requests.filter(({ key }) => key === marker).map(({ status }) => status)
    }
    const stateDir = emptyDirectory()
    expect(await markersOf(stateDir)).toEqual([200, 412])
    writeFileSync(join(input, "b.jsonl"), "2\n")
    expect(await markersOf(stateDir)).toEqual([])
    expect(await markersOf(emptyDirectory())).toEqual([412])
  })

  it("exits 40 for a wrong checksum with --no-overwrite, which forbids a second object", async () => {
    const store = await startStore()
    store.fault = () => ({ kind: "wrong-checksum" })
    const input = tree({ "a.jsonl": "1\n", "big.jsonl": Buffer.alloc(9 * MiB) })
    for (const name of ["a.jsonl", "big.jsonl"]) {
      if (name === "big.jsonl") {
        store.fault = ({ operation }) =>
          operation === "CompleteMultipartUpload" ? { kind: "wrong-checksum" } : undefined
      }
      expect((await run(s3(input, store.endpoint, "--no-overwrite", "--include", name))).code).toBe(40)
      expect(store.versions(`${prefix}/${name}`)).toHaveLength(1)
    }
  })

  it("does not treat a login page with status 200 as a success", async () => {
    const store = await startStore()
    store.fault = () => ({
      kind: "answer",
      status: 200,
      headers: { "content-type": "text/html" },
      body: "<html>Login</html>"
    })
    const input = tree({ "a.jsonl": "1\n", "big.jsonl": Buffer.alloc(9 * MiB) })
    const result = await run(s3(input, store.endpoint, "--max-retries=1"))
    expect(result.code, result.stdout).toBe(30)
    expect(result.stdout).toContain("proxy")
    expect(summary(result)).toContain("failed 2 of 2 in ")
  })

  it("reports files and directories whose names are not UTF-8 as failures", async () => {
    const store = await startStore()
    const input = tree({ "good.jsonl": "1\n" })
    mkdirSync(Buffer.concat([Buffer.from(`${input}/d`), Buffer.from([0xff])]))
    writeFileSync(Buffer.concat([Buffer.from(`${input}/d`), Buffer.from([0xff]), Buffer.from("/b.jsonl")]), "2\n")
    writeFileSync(Buffer.concat([Buffer.from(`${input}/c`), Buffer.from([0xff]), Buffer.from(".jsonl")]), "3\n")
    const result = await run(s3(input, store.endpoint))
    expect(result.code).toBe(41)
    expect(summary(result)).toContain("failed 2 of 3, uploaded 1 (2 B) in ")
  })

  it("continues when its log's disk is full", { skip: !existsSync("/dev/full") }, async () => {
    const store = await startStore()
    const input = tree({ "a.jsonl": "1\n", "b.jsonl": "2\n", [`c${"\uFFFD"}.jsonl`]: "3\n" })
    const args = s3(input, store.endpoint).map((arg) => `'${arg}'`)
    const result = await run([], { commandPrefix: ["sh", "-c", `exec "$0" "$@" ${args.join(" ")} 2>/dev/full`] })
    expect(result.code).toBe(41)
    expect(summary(result)).toContain("failed 1 of 3, uploaded 2 (4 B) in ")
  })

  it("uploads the files that --include and --exclude select, and counts the others", async () => {
    const store = await startStore()
    const input = tree({ "a.jsonl": "", "b.txt": "", "inc/1/x.pcap.gz": "", "inc/2/x.pcap.gz": "", "inc/2/y.txt": "" })
    const result = await run(
      s3(
        input,
        store.endpoint,
        "--include=**/*.pcap.gz",
        "--include",
        "*.txt",
        "--exclude",
        "inc/2/**",
        "--output=json"
      )
    )
    expect(store.keys()).toEqual([`${prefix}/b.txt`, `${prefix}/inc/1/x.pcap.gz`])
    expect(report(result).totals).toMatchObject({ uploaded: 2, excluded: 3 })
  })

  it("skips and counts selected symlinks and FIFOs without blocking", async () => {
    const store = await startStore()
    const input = tree({ "a.jsonl": "" })
    symlinkSync("a.jsonl", join(input, "link.jsonl"))
    execFileSync("mkfifo", [join(input, "fifo.jsonl"), join(input, "fifo.txt")])
    const result = await run(s3(input, store.endpoint, "--output", "json"))
    expect(report(result).totals).toMatchObject({
      uploaded: 1,
      skipped: 2,
      skippedSymlinks: 1,
      skippedSpecial: 1,
      excluded: 1
    })
    await run(s3(input, store.endpoint, "--follow-symlinks"))
    expect(store.keys()).toEqual([`${prefix}/a.jsonl`, `${prefix}/link.jsonl`])
  })

  it("succeeds when the store is sometimes overloaded, resets connections, or responds late", async () => {
    const store = await startStore()
    let requests = 0
    store.fault = () => {
      const turn = requests++ % 8
      if (turn === 1) return { kind: "answer", status: 503, code: "SlowDown" }
      if (turn === 3) return { kind: "reset" }
      if (turn === 5) return { kind: "answer", status: 500, code: "InternalError" }
      return turn === 7 ? { kind: "delay", ms: 100 } : undefined
    }
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`${index}.jsonl`, `${index}\n`]))
    const result = await run(s3(tree(files), store.endpoint, "--output", "json"))
    expect(result.code, result.stdout).toBe(0)
    expect(report(result).totals).toMatchObject({ uploaded: 60, failed: 0 })
    expect(report(result).totals.retries).toBeGreaterThan(10)
    for (const [name, content] of Object.entries(files)) {
      expect(store.object(`${prefix}/${name}`)?.body.toString()).toBe(content)
    }
  })

  it("prints its plan with --dry-run, without requests or credentials", async () => {
    const store = await startStore()
    const input = tree({ "a.jsonl": "{}\n", "big.jsonl": Buffer.alloc(17 * MiB) })
    const env = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }
    const result = await run(s3(input, store.endpoint, "--dry-run"), { env })
    expect(result.code).toBe(0)
    expect(result.stdout.split("\n").slice(0, 2).toSorted()).toEqual([
      `a.jsonl -> s3://snapshots/${prefix}/a.jsonl (3 B, 1 request)`,
      `big.jsonl -> s3://snapshots/${prefix}/big.jsonl (17.8 MB, 5 requests)`
    ])
    expect(summary(result)).toContain("would upload 2 (17.8 MB)")
    const json = report(await run(s3(input, store.endpoint, "--dry-run", "--output", "json"), { env }))
    expect(json.plan?.map(({ requests }) => requests).toSorted()).toEqual([1, 5])
    expect(store.requests).toEqual([])
  })

  it("prints one JSON object on stdout with --output=json, and the summary as the last line of stderr", async () => {
    const store = await startStore()
    const result = await run(s3(tree({ "a.jsonl": "{}\n" }), store.endpoint, "--output", "json"))
    expect(report(result)).toMatchObject({
      schemaVersion: 1,
      result: { exitCode: 0, name: "ok" },
      totals: { selected: 1, uploaded: 1, uploadedBytes: 3 },
      complete: true
    })
    expect(result.stderr.trimEnd().split("\n").at(-1)).toMatch(/^20\S+Z uploaded 1 \(3 B\) in/)
  })

  it("prints nothing with --quiet when it succeeds, and a report when it fails", async () => {
    const store = await startStore()
    const args = s3(tree({ "a.jsonl": "{}\n" }), store.endpoint, "--quiet", "--no-overwrite")
    expect(await run(args)).toMatchObject({ code: 0, stdout: "", stderr: "" })
    const again = await run(args)
    expect(again).toMatchObject({ code: 11, stderr: `${ending(again)}\n` })
    expect(ending(again)).toContain("exit 11 object-exists: ")
  })

  it("warns about misspelt variables, even with --quiet and in `status`, but not in commands that read no variables", async () => {
    const store = await startStore()
    const env = { IBSR_EXPORT_PREFX: "x", IBSR_EXPORT_STATE_DIR: emptyDirectory() }
    const warning = "warning: IBSR_EXPORT_PREFX is not a variable of ibsr-export"
    const result = await run(s3(tree({ "a.jsonl": "{}\n" }), store.endpoint, "--quiet"), { env })
    expect(result.code).toBe(0)
    expect(result.stdout).toContain(warning)
    const status = await run(["status", "--output=json"], { env })
    expect(status).toMatchObject({ code: 0, stderr: expect.stringContaining(warning) })
    expect(JSON.parse(status.stdout)).toMatchObject({ schemaVersion: 1 })
    expect((await run(["units", "--program=/bin/true"], { env })).stderr).toBe("")
  })

  it("reads its flags from the environment as well", async () => {
    const store = await startStore()
    const result = await run(["s3"], {
      env: {
        IBSR_EXPORT_INPUT: tree({ "a.txt": "", "b.log": "", "c.jsonl": "" }),
        IBSR_EXPORT_BUCKET: "snapshots",
        IBSR_EXPORT_PREFIX: "/from/env/",
        IBSR_EXPORT_INCLUDE: "*.txt; *.log",
        AWS_ENDPOINT_URL_S3: store.endpoint
      }
    })
    expect(result.code, result.stderr).toBe(0)
    expect(store.keys()).toEqual(["from/env/a.txt", "from/env/b.log"])
  })

  it("prints no colours to a pipe", async () => {
    const store = await startStore()
    const outputs = await Promise.all([
      run(["--help"]),
      run(["s3", "--bucket", "b", "--help"]),
      run(["s3", "--nonsense"]),
      run(s3(tree({ "a.jsonl": "" }), store.endpoint, "--storage-class", "MARBLE", "--verbose"))
    ])
    // eslint-disable-next-line no-control-regex
    for (const { stderr, stdout } of outputs) expect(stdout + stderr).not.toMatch(/\u001b/)
  })
})
