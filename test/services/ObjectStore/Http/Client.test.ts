import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope, TestClock } from "effect"
import { connect, type Socket } from "node:net"
import * as Callback from "../../../../src/fibers/Callback.ts"
import { MalformedResponse } from "../../../../src/services/ObjectStore/Http/ResponseHead.ts"
import * as Client from "../../../../src/services/ObjectStore/Http/Client.ts"
import { okResponse, scriptedServer, type ReceivedRequest, readRequests } from "../../../fixtures/ScriptedServer.ts"

/** A server, and a client of it whose scope is the test's. */
const served = (behave: (socket: Socket, nth: number) => void, asProxy?: Client.Route["proxyHeaders"]) =>
  Effect.gen(function* () {
    const server = yield* Effect.promise(() => scriptedServer(behave))
    const routes = (): Client.Route => ({
      proxyHeaders: asProxy,
      dial: (done) => {
        const socket = connect({ port: server.port, host: "127.0.0.1", noDelay: true })
        socket.once("error", done).once("connect", () => done(undefined, socket))
        return () => socket.destroy()
      }
    })
    const http = yield* Client.make(routes, 10_000)
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
  const heard = (more: Partial<Client.Request>, asProxy?: Client.Route["proxyHeaders"]) =>
    Effect.gen(function* () {
      const all: Array<ReceivedRequest> = []
      const { http } = yield* served(
        (socket) =>
          readRequests(socket, (received) => {
            all.push(received)
            socket.write(okResponse("etag: e"))
          }),
        asProxy
      )
      const answer = yield* http.exchange(request(more))
      expect(answer).toMatchObject({ status: 200, headers: { etag: "e" } })
      return all.map(({ body, head }) => [head.split("\r\n"), String(body)])
    })

  it.scoped("goes over the wire with its headers, in their order, and its length", () =>
    Effect.gen(function* () {
      const headers = { host: "store.test", "x-b": "2\t3", "x-a": "\xe9", "x-c": "" }
      expect(yield* heard({ headers, target: "/a%20b?c=d", body: Buffer.from("body") })).toEqual([
        [
          ["PUT /a%20b?c=d HTTP/1.1", "host: store.test", "x-b: 2\t3", "x-a: \xe9", "x-c: ", "content-length: 4"],
          "body"
        ]
      ])
    })
  )

  it.scoped("without a body says so", () =>
    Effect.gen(function* () {
      const [[head] = []] = yield* heard({})
      expect(head).toContain("content-length: 0")
    })
  )

  it.scoped("to a proxy asks for the whole URL, with its login", () =>
    Effect.gen(function* () {
      const [[head] = []] = yield* heard({ headers: { host: "store.test:81" } }, { "proxy-authorization": "Basic x" })
      expect(head).toEqual([
        "PUT http://store.test:81/key HTTP/1.1",
        "host: store.test:81",
        "proxy-authorization: Basic x",
        "content-length: 0"
      ])
    })
  )

  it.scoped("is not broken off any more by who begun the one before it", () =>
    Effect.gen(function* () {
      const held = yield* Deferred.make<Socket>()
      const { http, server } = yield* served((socket) => {
        let nth = 0
        readRequests(socket, () => {
          if (++nth === 1) socket.write(okResponse())
          else Deferred.unsafeDone(held, Exit.succeed(socket))
        })
      })
      const breakOff = yield* Effect.async<() => void>((resume) => {
        const breakOff = Callback.start(http.exchange(request()), () => resume(Effect.succeed(() => breakOff())))
      })
      const second = yield* Effect.fork(http.exchange(request()))
      const socket = yield* Deferred.await(held)
      breakOff()
      socket.write(okResponse())
      expect(yield* Fiber.join(second)).toMatchObject({ status: 200 })
      expect(server.sockets).toHaveLength(1)
    })
  )

  it.scoped.each([
    ["a value with a line in it", { headers: { host: "a", "x-a": "b\r\nx-c: d" } }],
    ["a value with a CR", { headers: { host: "a", "x-a": "b\rc" } }],
    ["a value with a NUL", { headers: { host: "a", "x-a": "b\0" } }],
    ["a value beyond latin1", { headers: { host: "a", "x-a": "\u65e5" } }],
    ["a name with a line in it", { headers: { host: "a", "x-a: b\r\nx-c": "d" } }],
    ["a name with a blank", { headers: { host: "a", "x a": "d" } }],
    ["no name", { headers: { host: "a", "": "d" } }],
    ["a path with a blank", { target: "/a HTTP/1.1" }],
    ["a path with a line in it", { target: "/a\r\nx-a: b" }],
    ["a path that is not encoded", { target: "/\u65e5" }],
    ["a path that is a whole URL", { target: "http://elsewhere.test/" }]
  ] as ReadonlyArray<readonly [string, Partial<Client.Request>]>)("is not sent with %s", ([, more]) =>
    Effect.gen(function* () {
      const { http, server } = yield* served(answering)
      expect(yield* Effect.flip(http.exchange(request(more)))).toMatchObject({ code: "ERR_INVALID_CHAR" })
      expect(server.sockets).toEqual([])
    })
  )

  it.scoped("fails by what came for an answer, and the next one has a connection of its own", () =>
    Effect.gen(function* () {
      const { http, server } = yield* served((socket, nth) =>
        readRequests(socket, () => socket.write(nth === 1 ? "SSH-2.0-x\r\n" : okResponse()))
      )
      expect(yield* Effect.flip(http.exchange(request()))).toBeInstanceOf(MalformedResponse)
      yield* http.exchange(request())
      expect(server.sockets).toHaveLength(2)
    })
  )
})

describe("connections", () => {
  it.scoped("are as many as requests are made at once, and are used again", () =>
    Effect.gen(function* () {
      const waiting: Array<Socket> = []
      const { http, server } = yield* served((socket) =>
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

  it.scoped("go to the origin that they were made for", () =>
    Effect.gen(function* () {
      const { http, server } = yield* served(answering)
      for (const hostname of ["a.test", "b.test"])
        for (const port of [80, 81])
          for (const protocol of ["http:", "https:"] as const)
            yield* http.exchange(request({ origin: { hostname, port, protocol } }))
      expect(server.sockets).toHaveLength(8)
    })
  )

  it.scoped("that were used last are used first, so that the others become old", () =>
    Effect.gen(function* () {
      const askedOver: Array<number> = []
      const held = yield* Deferred.make<Socket>()
      const { http, server } = yield* served((socket, nth) =>
        readRequests(socket, () => {
          askedOver.push(nth)
          if (askedOver.length === 1) Deferred.unsafeDone(held, Exit.succeed(socket))
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
      expect(askedOver).toEqual([1, 2, 1, 1])
      expect(server.sockets).toHaveLength(2)
    })
  )

  it.scoped.each([
    [3999, 1],
    [4000, 2]
  ] as const)("that were idle for %i ms: %i in all", ([millis, all]) =>
    Effect.gen(function* () {
      const { http, server } = yield* served(answering)
      yield* http.exchange(request())
      yield* TestClock.adjust(millis)
      yield* http.exchange(request())
      expect(server.sockets).toHaveLength(all)
    })
  )

  it.scoped("that are too old are closed, all of them", () =>
    Effect.gen(function* () {
      const { http, server } = yield* served(answering)
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

  it.scoped("that the server has closed are not used", () =>
    Effect.gen(function* () {
      const { http, server } = yield* served(answering)
      yield* http.exchange(request())
      const [socket] = server.sockets
      yield* Effect.promise(() => new Promise((resolve) => socket?.once("close", resolve).end()))
      yield* http.exchange(request())
      expect(server.sockets).toHaveLength(2)
    })
  )

  it.scoped("end with the fiber that waits for an answer over them", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<Socket>()
      const { http, server } = yield* served((socket, nth) =>
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

  it.scoped("outlive the fibers whose requests were answered", () =>
    Effect.gen(function* () {
      const { http, server } = yield* served(answering)
      yield* Fiber.join(yield* Effect.fork(http.exchange(request())))
      yield* Fiber.join(yield* Effect.fork(http.exchange(request())))
      expect(server.sockets).toHaveLength(1)
    })
  )

  it.effect("end with the scope, and whoever waits is told", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const asked = yield* Deferred.make<void>()
      const { http, server } = yield* Scope.extend(
        served((socket, nth) =>
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
