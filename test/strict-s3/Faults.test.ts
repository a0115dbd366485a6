import { PutObjectCommand } from "@aws-sdk/client-s3"
import { request } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { beforeEach, describe, expect, it } from "vitest"
import { checksum } from "../../scripts/strict-s3/Checksums.ts"
import { type Fault, StrictS3, writer } from "../../scripts/strict-s3/StrictS3.ts"
import { type RawRequest, sendRaw } from "../fixtures/RawRequest.ts"
import { sdkClient, statusOf } from "../fixtures/SdkClient.ts"

const silence = "silence"
const large = Buffer.alloc(4 * 1024 ** 2, "x")

let server: StrictS3
beforeEach(async () => {
  server = await StrictS3.start()
  return () => server.stop()
})

/** The outcome that the client sees, or silence if there is none within `waitMs`. */
const put = (fault: Fault, rawRequest: Partial<RawRequest> = {}, waitMs = 300) => {
  server.fault = () => fault
  const client = { endpoint: server.endpoint, region: "us-east-1", ...writer }
  const sent = sendRaw(client, { method: "PUT", path: "/snapshots/key", body: "hello", ...rawRequest })
  return Promise.race([sent, sleep(waitMs, silence, { ref: false })])
}

/**
 * How long to wait for an outcome, in milliseconds. A test that expects no answer waits for all of this time, so it
 * gets a short one.
 */
const waitFor = (expected: string) => (expected === silence ? 300 : 10_000)

/** The outcome that the client sees when it uses the AWS SDK. */
const putBySdk = async (fault: Fault, Body: string | Buffer = "hello") => {
  server.fault = () => fault
  const client = sdkClient({ endpoint: server.endpoint, region: "us-east-1", ...writer })
  try {
    return await client.send(new PutObjectCommand({ Bucket: "snapshots", Key: "key", Body }))
  } finally {
    client.destroy()
  }
}

describe("a fault", () => {
  const unstored: [string, string, Fault][] = [
    ["answers with a given error", "503 SlowDown", { kind: "answer", status: 503, code: "SlowDown" }],
    ["answers with an HTML page", "502", { kind: "answer", status: 502, body: "<html>Bad Gateway</html>" }],
    ["answers with only a status", "503", { kind: "answer", status: 503, body: "" }],
    [
      "answers with an error document and status 200",
      "200 InternalError",
      { kind: "answer", status: 200, code: "InternalError" }
    ],
    ["hangs", silence, { kind: "hang" }],
    ["stalls in the middle of the body", silence, { kind: "stall", afterBytes: 3 }],
    ["resets the connection", "cut", { kind: "reset" }],
    ["resets the connection in the middle of the body", "cut", { kind: "reset", afterBytes: 3 }],
    ["speaks another protocol than HTTP", "cut", { kind: "garbage" }],
    [
      "cuts off a given answer",
      "cut",
      { kind: "cut-answer", end: -20, by: "close", answer: { status: 500, code: "InternalError" } }
    ]
  ]
  it.each(unstored)("%s and stores nothing", async (_, expected, fault) => {
    expect(await put(fault, {}, waitFor(expected))).toBe(expected)
    expect(server.versions("key")).toEqual([])
    expect(server.inFlight).toBe(expected === silence ? 1 : 0)
  })

  const stored: [string, string, Fault][] = [
    ["loses the answer by a reset", "cut", { kind: "cut-answer", end: 0, by: "reset" }],
    ["loses the answer by silence", silence, { kind: "cut-answer", end: 0, by: "silence" }],
    ["resets the connection in the middle of the answer", "cut", { kind: "cut-answer", end: 60, by: "reset" }],
    ["closes the connection before the last byte of the answer", "cut", { kind: "cut-answer", end: -1, by: "close" }],
    ["falls silent before the last byte of the answer", silence, { kind: "cut-answer", end: -1, by: "silence" }],
    ["answers late", "200", { kind: "delay", ms: 100 }],
    ["answers slowly", silence, { kind: "trickle", msPerByte: 5 }],
    ["answers byte by byte to the end", "200", { kind: "trickle", msPerByte: 0 }]
  ]
  it.each(stored)("%s and stores the object", async (_, expected, fault) => {
    expect(await put(fault, {}, waitFor(expected))).toBe(expected)
    expect(server.versions("key").map(({ body }) => String(body))).toEqual(["hello"])
  })

  it.each(["reset", "stall"] as const)("reads about `afterBytes` bytes of the body before a %s", async (kind) => {
    expect(await put({ kind, afterBytes: 100_000 }, { body: large })).toBe(kind === "stall" ? silence : "cut")
    expect(server.requests[0]?.bodyBytes).toBeGreaterThanOrEqual(100_000)
    expect(server.requests[0]?.bodyBytes).toBeLessThan(large.length / 2)
  })

  it("answers before the body has arrived, and closes the connection", async () => {
    const fault: Fault = { kind: "early-answer", status: 403, code: "AccessDenied" }
    expect(await put(fault, { sent: "hel" })).toBe("403 AccessDenied")
    expect(await put({ ...fault, kind: "answer" }, { sent: "hel" })).toBe(silence)
  })

  it.each(["early-answer", "answer"] as const)("sends 100 Continue only if it will read the body: %s", async (kind) => {
    server.fault = () => ({ kind, status: 403, code: "AccessDenied" })
    const headers = { expect: "100-continue", "content-length": 5 }
    const received: Array<string> = []
    await new Promise<void>((resolve, reject) => {
      const asking = request(`${server.endpoint}/snapshots/key`, { method: "PUT", headers, agent: false })
      asking.on("continue", () => {
        received.push("100")
        asking.end("hello")
      })
      asking.on("response", (answer) => {
        received.push(String(answer.statusCode))
        answer.resume().on("close", resolve)
        asking.destroy()
      })
      asking.on("error", reject)
      asking.flushHeaders()
    })
    expect(received).toEqual(kind === "answer" ? ["100", "403"] : ["403"])
  })

  it("sends 100 Continue to a client that waits for it", async () => {
    expect(await statusOf(putBySdk({ kind: "delay", ms: 0 }, large))).toBe("200")
  })

  it("answers with a wrong checksum, but stores the correct bytes", async () => {
    const { ChecksumCRC32 } = await putBySdk({ kind: "wrong-checksum" })
    expect(ChecksumCRC32).not.toBe(checksum("crc32", Buffer.from("hello")).toString("base64"))
    expect(server.object("key")?.body.toString()).toBe("hello")
  })

  it("answers without an ETag, but stores the object", async () => {
    expect((await putBySdk({ kind: "missing-etag" })).ETag).toBeUndefined()
    expect(server.object("key")?.body.toString()).toBe("hello")
  })
})
