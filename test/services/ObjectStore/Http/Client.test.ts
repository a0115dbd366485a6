import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope, TestClock } from "effect"
import { connect, type Socket } from "node:net"
import * as Callback from "../../../../src/fibers/Callback.ts"
import * as Client from "../../../../src/services/ObjectStore/Http/Client.ts"
import { MalformedResponse } from "../../../../src/services/ObjectStore/Http/ResponseHead.ts"
import { okResponse, scriptedServer, type ReceivedRequest, readRequests } from "../../../fixtures/ScriptedServer.ts"

/** Starts a server, and makes a client for it in the scope of the test. */
const serve = (behave: (socket: Socket, nth: number) => void, proxyHeaders?: Client.Route["proxyHeaders"]) =>
  Effect.gen(function* () {
    const server = yield* Effect.promise(() => scriptedServer(behave))
    const route = (): Client.Route => ({
      proxyHeaders,
      proxy: undefined,
      dial: (done) => {
        const socket = connect({ port: server.port, host: "127.0.0.1", noDelay: true })
        socket.once("error", done).once("connect", () => done(undefined, socket))
        return () => socket.destroy()
      }
    })
    const http = yield* Client.make(route, 10_000)
    return { http, server }
  })

const request = (more: Partial<Client.Request> = {}): Client.Request => ({
  origin: { protocol: "http:", hostname: "store.test", port: 80 },
  method: "PUT",
  target: "/key",
  headers: { host: "store.test" },
  body: new Uint8Array(),
  ...more
})

const answering = (socket: Socket) => readRequests(socket, () => socket.write(okResponse()))

describe("a request", () => {
  /** Sends a request, and returns what the server received. */
  const received = (more: Partial<Client.Request>, proxyHeaders?: Client.Route["proxyHeaders"]) =>
    Effect.gen(function* () {
      const all: Array<ReceivedRequest> = []
      const { http } = yield* serve(
        (socket) =>
          readRequests(socket, (each) => {
            all.push(each)
            socket.write(okResponse("etag: e"))
          }),
        proxyHeaders
      )
      const answer = yield* http.exchange(request(more))
      expect(answer).toMatchObject({ status: 200, headers: { etag: "e" } })
      return all.map(({ body, head }) => [head.split("\r\n"), String(body)])
    })

  it.scoped("is sent with its headers, in their order, and its length", () =>
    Effect.gen(function* () {
      const headers = { host: "store.test", "x-b": "2\t3", "x-a": "\xe9", "x-c": "" }
      expect(yield* received({ headers, target: "/a%20b?c=d", body: Buffer.from("body") })).toEqual([
        [
          ["PUT /a%20b?c=d HTTP/1.1", "host: store.test", "x-b: 2\t3", "x-a: \xe9", "x-c: ", "content-length: 4"],
          "body"
        ]
      ])
    })
  )

  it.scoped("has a content length of 0 if it has no body", () =>
    Effect.gen(function* () {
      const [[head] = []] = yield* received({})
      expect(head).toContain("content-length: 0")
    })
  )

  it.scoped("names the absolute URL and the proxy credentials if it goes to a proxy", () =>
    Effect.gen(function* () {
      const [[head] = []] = yield* received(
        { headers: { host: "store.test:81" } },
        { "proxy-authorization": "Basic x" }
      )
      expect(head).toEqual([
        "PUT http://store.test:81/key HTTP/1.1",
        "host: store.test:81",
        "proxy-authorization: Basic x",
        "content-length: 0"
      ])
    })
  )

  it.scoped("is not affected when an earlier, finished request is cancelled", () =>
    Effect.gen(function* () {
      const held = yield* Deferred.make<Socket>()
      const { http, server } = yield* serve((socket) => {
        let nth = 0
        readRequests(socket, () => {
          if (++nth === 1) socket.write(okResponse())
          else Deferred.unsafeDone(held, Exit.succeed(socket))
        })
      })
      const cancel = yield* Effect.async<() => void>((resume) => {
        const cancelFirst = Callback.start(http.exchange(request()), () => resume(Effect.succeed(() => cancelFirst())))
      })
      const second = yield* Effect.fork(http.exchange(request()))
      const socket = yield* Deferred.await(held)
      cancel()
      socket.write(okResponse())
      expect(yield* Fiber.join(second)).toMatchObject({ status: 200 })
      expect(server.sockets).toHaveLength(1)
    })
  )

  it.scoped.each([
    ["a line break in a value", { headers: { host: "a", "x-a": "b\r\nx-c: d" } }],
    ["a CR in a value", { headers: { host: "a", "x-a": "b\rc" } }],
    ["a NUL in a value", { headers: { host: "a", "x-a": "b\0" } }],
    ["a value outside latin1", { headers: { host: "a", "x-a": "\u65e5" } }],
    ["a line break in a name", { headers: { host: "a", "x-a: b\r\nx-c": "d" } }],
    ["a space in a name", { headers: { host: "a", "x a": "d" } }],
    ["an empty name", { headers: { host: "a", "": "d" } }],
    ["a space in the path", { target: "/a HTTP/1.1" }],
    ["a line break in the path", { target: "/a\r\nx-a: b" }],
    ["a path that is not encoded", { target: "/\u65e5" }],
    ["a whole URL as path", { target: "http://elsewhere.test/" }]
  ] as ReadonlyArray<readonly [string, Partial<Client.Request>]>)("is not sent with %s", ([, more]) =>
    Effect.gen(function* () {
      const { http, server } = yield* serve(answering)
      expect(yield* Effect.flip(http.exchange(request(more)))).toMatchObject({ code: "ERR_INVALID_CHAR" })
      expect(server.sockets).toEqual([])
    })
  )

  it.scoped("fails on a malformed response, and the next request gets a new connection", () =>
    Effect.gen(function* () {
      const { http, server } = yield* serve((socket, nth) =>
        readRequests(socket, () => socket.write(nth === 1 ? "SSH-2.0-x\r\n" : okResponse()))
      )
      expect(yield* Effect.flip(http.exchange(request()))).toBeInstanceOf(MalformedResponse)
      yield* http.exchange(request())
      expect(server.sockets).toHaveLength(2)
    })
  )
})

describe("connections", () => {
  it.scoped("are opened once per concurrent request, and are reused", () =>
    Effect.gen(function* () {
      const waiting: Array<Socket> = []
      const { http, server } = yield* serve((socket) =>
        readRequests(socket, () => {
          waiting.push(socket)
          if (waiting.length === 8) for (const each of waiting.splice(0)) each.write(okResponse())
        })
      )
      const eight = Effect.all(
        Array.from({ length: 8 }, () => http.exchange(request())),
        { concurrency: "unbounded" }
      )
      yield* eight
      expect(server.sockets).toHaveLength(8)
      yield* eight
      expect(server.sockets).toHaveLength(8)
    })
  )

  it.scoped("are used only for their own origin", () =>
    Effect.gen(function* () {
      const { http, server } = yield* serve(answering)
      for (const hostname of ["a.test", "b.test"])
        for (const port of [80, 81])
          for (const protocol of ["http:", "https:"] as const)
            yield* http.exchange(request({ origin: { hostname, port, protocol } }))
      expect(server.sockets).toHaveLength(8)
    })
  )

  it.scoped("are reused in order of their last use, the latest first", () =>
    Effect.gen(function* () {
      const used: Array<number> = []
      const held = yield* Deferred.make<Socket>()
      const { http, server } = yield* serve((socket, nth) =>
        readRequests(socket, () => {
          used.push(nth)
          if (used.length === 1) Deferred.unsafeDone(held, Exit.succeed(socket))
          else socket.write(okResponse())
        })
      )
      const first = yield* Effect.fork(http.exchange(request()))
      const socket = yield* Deferred.await(held)
      yield* http.exchange(request())
      socket.write(okResponse())
      yield* Fiber.join(first)
      yield* http.exchange(request())
      yield* http.exchange(request())
      expect(used).toEqual([1, 2, 1, 1])
      expect(server.sockets).toHaveLength(2)
    })
  )

  it.scoped.each([
    [3999, 1],
    [4000, 2]
  ] as const)(
    "are reused if they were idle for less than 4000 ms: after %i ms, connections opened: %i",
    ([millis, count]) =>
      Effect.gen(function* () {
        const { http, server } = yield* serve(answering)
        yield* http.exchange(request())
        yield* TestClock.adjust(millis)
        yield* http.exchange(request())
        expect(server.sockets).toHaveLength(count)
      })
  )

  it.scoped("are all closed once they are too old", () =>
    Effect.gen(function* () {
      const { http, server } = yield* serve(answering)
      yield* Effect.all([http.exchange(request()), http.exchange(request()), http.exchange(request())], {
        concurrency: "unbounded"
      })
      const closed = server.sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve)))
      yield* TestClock.adjust("5 seconds")
      yield* http.exchange(request())
      yield* Effect.promise(() => Promise.all(closed))
      expect(server.sockets).toHaveLength(4)
      expect(server.sockets[3]?.destroyed).toBe(false)
    })
  )

  it.scoped("are not reused if the server has closed them", () =>
    Effect.gen(function* () {
      const { http, server } = yield* serve(answering)
      yield* http.exchange(request())
      const [socket] = server.sockets
      yield* Effect.promise(() => new Promise((resolve) => socket?.once("close", resolve).end()))
      yield* http.exchange(request())
      expect(server.sockets).toHaveLength(2)
    })
  )

  it.scoped("are closed when the fiber that waits for their response is interrupted", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<Socket>()
      const { http, server } = yield* serve((socket, nth) =>
        readRequests(socket, () =>
          nth === 1 ? Deferred.unsafeDone(asked, Exit.succeed(socket)) : socket.write(okResponse())
        )
      )
      const fiber = yield* Effect.fork(http.exchange(request()))
      const socket = yield* Deferred.await(asked)
      const closed = new Promise((resolve) => socket.once("close", resolve))
      yield* Fiber.interrupt(fiber)
      yield* Effect.promise(() => closed)
      yield* http.exchange(request())
      expect(server.sockets).toHaveLength(2)
    })
  )

  it.scoped("outlive fibers whose requests have completed", () =>
    Effect.gen(function* () {
      const { http, server } = yield* serve(answering)
      yield* Fiber.join(yield* Effect.fork(http.exchange(request())))
      yield* Fiber.join(yield* Effect.fork(http.exchange(request())))
      expect(server.sockets).toHaveLength(1)
    })
  )

  it.effect("are closed with the scope, and requests in flight fail", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const asked = yield* Deferred.make<void>()
      const { http, server } = yield* Scope.extend(
        serve((socket, nth) =>
          readRequests(socket, () => (nth === 1 ? socket.write(okResponse()) : Deferred.unsafeDone(asked, Exit.void)))
        ),
        scope
      )
      const held = yield* Effect.all([http.exchange(request()), Effect.fork(Effect.flip(http.exchange(request())))], {
        concurrency: "unbounded"
      })
      yield* Deferred.await(asked)
      const closed = server.sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve)))
      yield* Scope.close(scope, Exit.void)
      expect(yield* Fiber.join(held[1])).toMatchObject({ code: "ECONNRESET" })
      yield* Effect.promise(() => Promise.all(closed))
      expect(closed).toHaveLength(2)
    })
  )
})
