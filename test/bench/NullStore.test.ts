import { createHash } from "node:crypto"
import { once } from "node:events"
import { connect } from "node:net"
import { setTimeout } from "node:timers/promises"
import { afterAll, beforeEach, describe, expect, it } from "vitest"
import * as NullStore from "../../scripts/bench/NullStore.ts"
import { emptyDirectory } from "../fixtures/Tree.ts"

const store = await NullStore.start(emptyDirectory()).catch(() => undefined)

/** Sends the pieces unchanged, and returns the answer up to the end of the connection. */
const raw = async (...pieces: ReadonlyArray<string>): Promise<string> => {
  const socket = connect({ port: Number(new URL(store!.http).port), host: "127.0.0.1" })
  const answer: Array<string> = []
  const closed = once(socket, "close")
  socket.setEncoding("latin1").on("data", (text: string) => answer.push(text))
  for (const piece of pieces) {
    socket.write(piece)
    // pauses, so that the pieces arrive separately
    await setTimeout(5)
  }
  await closed
  return answer.join("")
}

const put = (...headers: ReadonlyArray<string>) =>
  ["PUT /bucket/key HTTP/1.1", "Host: a", "Connection: close", ...headers, "", ""].join("\r\n")

// skipped where the null store cannot be compiled
describe.skipIf(store === undefined)("the null store", () => {
  afterAll(() => store?.stop())
  beforeEach(() => store!.reset())

  it("counts requests by method, and the bytes in their bodies", async () => {
    const at = (path: string) => `${store!.http}/bucket${path}`
    await fetch(at("/a"), { method: "PUT", body: "x".repeat(100_000) })
    const created = await fetch(at("/b?uploads"), { method: "POST" })
    const [, id] = /<UploadId>(.*)<\/UploadId>/.exec(await created.text())!
    await fetch(at(`/b?partNumber=1&uploadId=${id}`), { method: "PUT", body: "12345" })
    await fetch(at(`/b?partNumber=2&uploadId=${id}`), { method: "PUT", body: "678" })
    await fetch(at(`/b?uploadId=${id}`), { method: "POST", body: "<CompleteMultipartUpload/>" })
    const head = await fetch(at("/b"), { method: "HEAD" })
    await fetch(at("/b"), { method: "DELETE" })
    await fetch(at("?list-type=2"))
    expect(head.headers.get("content-length")).toBe("8")
    expect(await store!.counters()).toMatchObject({
      put: 3,
      parts: 2,
      post: 2,
      head: 1,
      get: 1,
      delete: 1,
      bytes: 100_000 + 8 + "<CompleteMultipartUpload/>".length
    })
  })

  it("forgets objects and counters after a reset", async () => {
    await fetch(`${store!.http}/bucket/a`, { method: "PUT", body: "x" })
    await store!.reset()
    expect(await store!.counters()).toMatchObject({ put: 0, bytes: 0, connections: 0, mostInFlight: 0 })
    expect((await fetch(`${store!.http}/bucket/a`, { method: "HEAD" })).status).toBe(404)
  })

  it("returns the client's Content-MD5 as the ETag", async () => {
    const md5 = createHash("md5").update("hello").digest()
    const headers = { "Content-MD5": md5.toString("base64") }
    const { headers: answer } = await fetch(`${store!.http}/bucket/a`, { method: "PUT", body: "hello", headers })
    expect(answer.get("etag")).toBe(`"${md5.toString("hex")}"`)
  })

  it("reads a head, chunks and trailers that arrive in pieces", async () => {
    const head = put("Transfer-Encoding: chunked").replace("Connection: close\r\n", "")
    const body = ["5\r", "\nhel", "lo\r\n3\r\nabc\r\n0\r", "\nx: y\r\nz: 1\r", "\n\r\n"]
    const answer = await raw(head.slice(0, 30), head.slice(30), ...body, put("Content-Length: 0"))
    expect(answer.match(/HTTP\/1.1 \d+ /g)).toEqual(["HTTP/1.1 200 ", "HTTP/1.1 200 "])
    expect(await store!.counters()).toMatchObject({ put: 2, bytes: 8 })
  })

  it("counts the framing of aws-chunked as sent bytes, but not as content", async () => {
    const body = "5;chunk-signature=00\r\nhello\r\n0;chunk-signature=00\r\n\r\n"
    await raw(put(`Content-Length: ${body.length}`, "x-amz-decoded-content-length: 5") + body)
    expect((await store!.counters()).bytes).toBe(body.length)
    expect((await fetch(`${store!.http}/bucket/key`, { method: "HEAD" })).headers.get("content-length")).toBe("5")
  })

  it("sends 100 Continue to a client that waits for it", async () => {
    const answer = await raw(put("Content-Length: 5", "Expect: 100-continue"), "hello")
    expect(answer).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n/)
  })

  it("answers several requests that arrive together", async () => {
    const first = "HEAD /bucket HTTP/1.1\r\n\r\n"
    const answer = await raw(first + put("Content-Length: 2") + "ab")
    expect(answer.match(/HTTP\/1.1 \d+ /g)).toEqual(["HTTP/1.1 200 ", "HTTP/1.1 200 "])
    expect(await store!.counters()).toMatchObject({ head: 1, put: 1, connections: 1, bytes: 2 })
  })

  it("does not count a request with an incomplete body as in flight", async () => {
    const socket = connect({ port: Number(new URL(store!.http).port), host: "127.0.0.1" })
    socket.end(put("Content-Length: 5") + "hel")
    await once(socket.resume(), "close")
    await fetch(`${store!.http}/bucket`)
    expect(await store!.counters()).toMatchObject({ put: 0, bytes: 3, mostInFlight: 1 })
  })

  it("delays responses, so that many requests are in flight", async () => {
    await store!.delay(50)
    const startedAt = performance.now()
    await Promise.all(Array.from({ length: 10 }, (_, at) => raw(put().replace("key", `key${at}`))))
    await store!.delay(0)
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(50)
    expect(await store!.counters()).toMatchObject({ put: 10, connections: 10, mostInFlight: 10 })
  })
})
