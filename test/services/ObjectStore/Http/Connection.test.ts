import { describe, expect, it } from "@effect/vitest"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import process from "node:process"
import { Duplex } from "node:stream"
import { connect as connectTls } from "node:tls"
import { onTestFinished } from "vitest"
import * as Connection from "../../../../src/services/ObjectStore/Http/Connection.ts"
import type { Response } from "../../../../src/services/ObjectStore/Http/ResponseReader.ts"
import { type Certificate, makeAuthority } from "../../../fixtures/Certificates.ts"
import { okResponse, scriptedServer, readRequests } from "../../../fixtures/ScriptedServer.ts"

const KiB = 1024
const MiB = 1024 ** 2

const dialTo =
  (port: number, tls?: Certificate): Connection.Dial =>
  (done) => {
    const socket: Socket =
      tls === undefined
        ? connect({ port, host: "127.0.0.1", noDelay: true })
        : connectTls({ port, host: "127.0.0.1", ca: tls.cert, checkServerIdentity: () => undefined })
    socket.once("error", done)
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      socket.off("error", done)
      done(undefined, socket)
    })
    return () => socket.destroy()
  }

/** Opens a connection that counts its calls of each callback. */
const opened = (dial: Connection.Dial, idleMillis = 10_000) => {
  const calls = { onFree: 0, onClose: 0, done: 0 }
  const closed = Promise.withResolvers<void>()
  const connection = Connection.open(dial, idleMillis, {
    onFree: () => void calls.onFree++,
    onClose: () => {
      calls.onClose++
      closed.resolve()
    }
  })
  onTestFinished(connection.close)
  const send = (body: Uint8Array = new Uint8Array()): Promise<Response> =>
    new Promise((resolve, reject) => {
      const head = `PUT / HTTP/1.1\r\ncontent-length: ${body.length}\r\n\r\n`
      connection.send({ head, body }, (error, answer) => {
        calls.done++
        if (answer === undefined) reject(error)
        else resolve(answer)
      })
    })
  return { ...connection, send, calls, closed: closed.promise }
}

/** Waits until pending callbacks of this process have run. */
const callbacksRun = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

const reset = { code: "ECONNRESET", message: "socket hang up" }

const certificate = async () => {
  const authority = await makeAuthority()
  return { ...(await authority.issue("127.0.0.1")), ca: authority.cert }
}

describe.each([
  ["without TLS", false],
  ["over TLS", true]
] as const)("bodies %s", (_, isSecure) => {
  const serve = async () => {
    const tls = isSecure ? await certificate() : undefined
    const bodies: Array<Buffer> = []
    const server = await scriptedServer(
      (socket) =>
        readRequests(socket, ({ body }) => {
          bodies.push(body)
          socket.write(okResponse())
        }),
      tls
    )
    return { bodies, server, dial: dialTo(server.port, tls && { ...tls, cert: tls.ca }) }
  }

  it("arrive unchanged over one connection, whatever their size", async () => {
    const { bodies, dial, server } = await serve()
    const { calls, send } = opened(dial)
    const sizes = [0, 1, 64 * KiB - 1, 64 * KiB, 64 * KiB + 1, 512 * KiB, 512 * KiB + 1, 8 * MiB, 0, 8 * MiB + 1]
    const sent = sizes.map((size) => randomBytes(size))
    for (const body of sent) expect(await send(body)).toMatchObject({ status: 200 })
    await callbacksRun()
    expect(bodies.map((body, at) => body.equals(sent[at] ?? Buffer.of(0)))).toEqual(sizes.map(() => true))
    expect(server.sockets).toHaveLength(1)
    expect(calls).toEqual({ onFree: sizes.length, onClose: 0, done: sizes.length })
  })

  it("are written in slices, with only one slice in memory", async () => {
    const { dial } = await serve()
    let longest = 0
    const watched: Connection.Dial = (done) =>
      dial((error, socket) => {
        if (socket !== undefined) {
          const write = socket.write.bind(socket) as (...args: ReadonlyArray<unknown>) => boolean
          Object.assign(socket, {
            write: (...args: ReadonlyArray<unknown>) => {
              const went = write(...args)
              longest = Math.max(longest, socket.writableLength)
              return went
            }
          })
        }
        done(error, socket)
      })
    await opened(watched).send(randomBytes(8 * MiB))
    expect(longest).toBeGreaterThan(100 * KiB)
    expect(longest).toBeLessThanOrEqual(513 * KiB)
  })

  it("may take longer than the idle timeout while there is traffic", { timeout: 20_000 }, async () => {
    const tls = isSecure ? await certificate() : undefined
    const server = await scriptedServer((socket) => {
      readRequests(socket, () => socket.write(okResponse()))
      // the pauses together take so long that the sockets' buffers cannot hide them
      socket.on("data", () => {
        socket.pause()
        setTimeout(() => socket.resume(), 1)
      })
    }, tls)
    const startedAt = performance.now()
    // TLS sends smaller pieces, so buffered bytes take longer to arrive
    const idleMillis = tls === undefined ? 200 : 1000
    const { send } = opened(dialTo(server.port, tls && { ...tls, cert: tls.ca }), idleMillis)
    expect(await send(randomBytes(32 * MiB))).toMatchObject({ status: 200 })
    expect(performance.now() - startedAt).toBeGreaterThan(idleMillis)
  })
})

describe("a connection", () => {
  it("sends a thousand requests without accumulating listeners", async () => {
    const warnings: Array<Error> = []
    const warned = (warning: Error) => warnings.push(warning)
    process.on("warning", warned)
    onTestFinished(() => void process.off("warning", warned))
    const server = await scriptedServer((socket) => readRequests(socket, () => socket.write(okResponse())))
    let client: Socket | undefined
    const { calls, send } = opened((done) => dialTo(server.port)((error, socket) => done(error, (client = socket))))
    await send()
    const listeners = () => client?.eventNames().map((name) => [name, client?.listenerCount(name)])
    const atFirst = listeners()
    for (let nth = 1; nth < 1000; nth++) await send(Buffer.from(String(nth)))
    expect(listeners()).toEqual(atFirst)
    expect(server.sockets).toHaveLength(1)
    expect(calls).toEqual({ onFree: 1000, onClose: 0, done: 1000 })
    expect(warnings).toEqual([])
  })

  it("is not reused after `connection: close`", async () => {
    const server = await scriptedServer((socket) =>
      readRequests(socket, () => socket.write(okResponse("connection: close")))
    )
    const { calls, send } = opened(dialTo(server.port))
    expect(await send()).toMatchObject({ status: 200, isReusable: false })
    expect(calls).toEqual({ onFree: 0, onClose: 1, done: 1 })
  })

  it("closes when bytes arrive with no request in flight", async () => {
    const server = await scriptedServer((socket) => readRequests(socket, () => socket.write(okResponse())))
    const { calls, closed, send } = opened(dialTo(server.port))
    await send()
    server.sockets[0]?.write(okResponse())
    await closed
    expect(calls).toEqual({ onFree: 1, onClose: 1, done: 1 })
  })

  it.each(["end", "destroy", "resetAndDestroy"] as const)("closes when the server closes it by %s", async (leave) => {
    const server = await scriptedServer((socket) => readRequests(socket, () => socket.write(okResponse())))
    const { calls, closed, send } = opened(dialTo(server.port))
    await send()
    server.sockets[0]?.[leave]()
    await closed
    await callbacksRun()
    expect(calls).toEqual({ onFree: 1, onClose: 1, done: 1 })
  })

  it("closes when it was idle for too long", async () => {
    const server = await scriptedServer((socket) => readRequests(socket, () => socket.write(okResponse())))
    const { calls, closed, send } = opened(dialTo(server.port), 50)
    await send()
    await closed
    expect(calls).toEqual({ onFree: 1, onClose: 1, done: 1 })
  })

  it.each(["end", "destroy", "resetAndDestroy"] as const)(
    "fails with a reset if the server closes it by %s before it responds",
    async (leave) => {
      const server = await scriptedServer((socket) => readRequests(socket, () => socket[leave]()))
      const { calls, send } = opened(dialTo(server.port))
      await expect(send()).rejects.toMatchObject({ code: "ECONNRESET" })
      await callbacksRun()
      expect(calls).toEqual({ onFree: 0, onClose: 1, done: 1 })
    }
  )

  it("fails with a reset if the server closes it within the response", async () => {
    const server = await scriptedServer((socket) =>
      readRequests(socket, () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe"))
    )
    await expect(opened(dialTo(server.port)).send()).rejects.toMatchObject(reset)
  })

  it("returns a response that ends with the connection", async () => {
    const server = await scriptedServer((socket) =>
      readRequests(socket, () => socket.end("HTTP/1.0 503 No\r\n\r\nslow down"))
    )
    const answer = await opened(dialTo(server.port)).send()
    expect([answer.status, String(answer.body)]).toEqual([503, "slow down"])
  })

  it("fails on a response that is not HTTP", async () => {
    const server = await scriptedServer((socket) => socket.write("SSH-2.0-x\r\n"))
    const { calls, send } = opened(dialTo(server.port))
    await expect(send(randomBytes(8 * MiB))).rejects.toMatchObject({ code: "ERR_HTTP_MALFORMED_RESPONSE" })
    expect(calls).toEqual({ onFree: 0, onClose: 1, done: 1 })
  })

  it("fails if no response arrives", async () => {
    const server = await scriptedServer((socket) => socket.resume())
    const { calls, send } = opened(dialTo(server.port), 50)
    await expect(send()).rejects.toMatchObject({ name: "StalledError", message: "no progress for 0.1 s" })
    await callbacksRun()
    expect(calls).toEqual({ onFree: 0, onClose: 1, done: 1 })
  })

  it("fails if the server does not read the body", async () => {
    const server = await scriptedServer((socket) => socket.pause())
    await expect(opened(dialTo(server.port), 50).send(randomBytes(32 * MiB))).rejects.toMatchObject({
      name: "StalledError"
    })
  })

  it("fails if it cannot be opened", async () => {
    const { port, sockets } = await scriptedServer((socket) => socket.end())
    const refused = Object.assign(new Error("no"), { code: "ECONNREFUSED" })
    const { calls, send } = opened((done) => {
      done(refused)
      return () => {}
    })
    await expect(send()).rejects.toBe(refused)
    expect(calls).toEqual({ onFree: 0, onClose: 1, done: 1 })
    expect([port > 0, sockets]).toEqual([true, []])
  })
})

describe("a response before the end of the request's body", () => {
  const tooLarge = (connection: string) => `HTTP/1.1 413 No\r\ncontent-length: 0\r\nconnection: ${connection}\r\n\r\n`

  it.each(["close", "keep-alive"])("is returned, and closes the connection: %s", async (connection) => {
    const server = await scriptedServer((socket) => {
      socket.once("data", () => {
        socket.pause().write(tooLarge(connection))
      })
    })
    const { calls, closed, send } = opened(dialTo(server.port))
    expect(await send(randomBytes(32 * MiB))).toMatchObject({ status: 413 })
    await closed
    expect(calls).toEqual({ onFree: 0, onClose: 1, done: 1 })
  })

  it("is returned only when the connection no longer reads the body", async () => {
    let bytes = 0
    const server = await scriptedServer((socket) => {
      socket.once("data", () => {
        socket.pause().write(tooLarge("keep-alive"))
      })
      socket.on("data", (piece: Buffer) => (bytes += piece.length))
    })
    const { calls, send } = opened(dialTo(server.port))
    await send(randomBytes(32 * MiB))
    // the connection is already closed, so no more of the body is sent
    expect(calls.onClose).toBe(1)
    server.sockets[0]?.resume()
    await once(server.sockets[0]!, "close")
    expect(bytes).toBeLessThan(32 * MiB)
  })

  it("keeps the connection open if the whole small body has already been written", async () => {
    const server = await scriptedServer((socket) => {
      socket.once("data", () => socket.write(okResponse()))
      readRequests(socket, (_, nth) => nth > 1 && socket.write(okResponse()))
    })
    const { send } = opened(dialTo(server.port))
    await send(randomBytes(64 * KiB))
    expect(await send()).toMatchObject({ status: 200 })
    expect(server.sockets).toHaveLength(1)
  })
})

/** A connection over a socket that writes with this function. */
const openedOver = (write: (this: Duplex, bytes: Buffer, done: (error?: Error) => void) => void) => {
  const socket = Object.assign(
    new Duplex({
      read() {},
      write(bytes: Buffer, _encoding, done) {
        write.call(this, bytes, done)
      }
    }),
    { setTimeout: () => {} }
  )
  const opening = opened((done) => {
    done(undefined, socket as unknown as Socket)
    return () => {}
  })
  return { ...opening, socket }
}

it("a connection reads an early response before it writes the next slice", async () => {
  let pieces = 0
  const { send } = openedOver(function (bytes, done) {
    if (bytes.length < 512 * KiB) return done()
    pieces++
    if (pieces > 1) return done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }))
    setImmediate(setImmediate, () => this.push("HTTP/1.1 403 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"))
    done()
  })
  expect(await send(Buffer.alloc(2 * MiB))).toMatchObject({ status: 403 })
  expect(pieces).toBe(1)
})

describe("a response before the system reports that the body is written", () => {
  /** A connection that reports the body as written when `reportWritten` is called. */
  const unreported = () => {
    let reportWritten = () => {}
    const opening = openedOver((bytes, done) => {
      if (bytes.length < 512 * KiB) done()
      else reportWritten = done
    })
    return { ...opening, reportWritten: () => reportWritten() }
  }

  it.each([
    ["lets the connection be reused if the report follows at once", false, { onFree: 1, onClose: 0, done: 1 }],
    ["does not revive a connection that is closed at once", true, { onFree: 0, onClose: 1, done: 1 }]
  ])("%s", async (_, isClosed, expected) => {
    const { calls, close, reportWritten, send, socket } = unreported()
    const sent = send(Buffer.alloc(512 * KiB))
    socket.emit("data", Buffer.from(okResponse()))
    reportWritten()
    if (isClosed) close()
    expect(await sent).toMatchObject({ status: 200 })
    await callbacksRun()
    expect(calls).toEqual(expected)
  })

  it.each([
    ["lets the connection be reused", ""],
    ["closes the connection", "connection: close"]
  ])("fails if the report does not follow, because no store has read the body: %s", async (_, line) => {
    const { calls, send, socket } = unreported()
    const sent = send(Buffer.alloc(512 * KiB))
    socket.emit("data", Buffer.from(okResponse(...(line === "" ? [] : [line]))))
    expect(calls.done).toBe(0)
    await expect(sent).rejects.toMatchObject({ code: "ERR_HTTP_PREMATURE_RESPONSE" })
    expect(calls).toEqual({ onFree: 0, onClose: 1, done: 1 })
  })

  it("is a success if the report follows, although the server closes the connection", async () => {
    const { calls, reportWritten, send, socket } = unreported()
    const sent = send(Buffer.alloc(512 * KiB))
    socket.emit("data", Buffer.from(okResponse("connection: close")))
    socket.emit("end")
    reportWritten()
    expect(await sent).toMatchObject({ status: 200 })
    expect(calls).toEqual({ onFree: 0, onClose: 1, done: 1 })
    expect(socket.destroyed).toBe(true)
  })

  it.each([200 * KiB, 2 * MiB])(
    "fails if the other side has received only a part of the body: %i bytes",
    async (bytes) => {
      const server = await scriptedServer((socket) => {
        // the rest of the body stays in the send queue of the client
        socket.once("data", () => socket.pause().write(okResponse("connection: close")))
      })
      const { send } = opened(dialTo(server.port))
      await expect(send(Buffer.alloc(bytes))).rejects.toMatchObject({ code: "ERR_HTTP_PREMATURE_RESPONSE" })
    }
  )

  it("fails for a small body as well", async () => {
    const { send, socket } = openedOver(() => {})
    const sent = send(Buffer.alloc(1))
    socket.emit("data", Buffer.from(okResponse()))
    await expect(sent).rejects.toMatchObject({ code: "ERR_HTTP_PREMATURE_RESPONSE" })
  })
})

describe("close", () => {
  it("cancels the dialling, and fails the request", async () => {
    let cancelled = 0
    const { calls, close, send } = opened(() => () => void cancelled++)
    const sent = send()
    close()
    await expect(sent).rejects.toMatchObject(reset)
    close()
    expect(cancelled).toBe(1)
    expect(calls).toEqual({ onFree: 0, onClose: 1, done: 1 })
  })

  it("does not cancel the dialling once it is connected", async () => {
    const server = await scriptedServer((socket) => readRequests(socket, () => socket.write(okResponse())))
    let cancelled = 0
    const { close, send } = opened((done) => {
      dialTo(server.port)(done)
      return () => void cancelled++
    })
    await send()
    close()
    expect(cancelled).toBe(0)
  })

  it("destroys a socket that still connects afterwards", async () => {
    const server = await scriptedServer((socket) => socket.resume())
    const socket = connect(server.port, "127.0.0.1")
    await once(socket, "connect")
    let connected: Parameters<Connection.Dial>[0] = () => {}
    const { calls, close, send } = opened((done) => {
      connected = done
      return () => {}
    })
    const sent = send()
    close()
    connected(undefined, socket)
    await expect(sent).rejects.toMatchObject(reset)
    expect(socket.destroyed).toBe(true)
    expect(calls.done).toBe(1)
  })

  it.each([0, 32 * MiB])("closes the socket while the response to %i bytes is outstanding", async (size) => {
    const received = Promise.withResolvers<void>()
    const server = await scriptedServer((socket) => void socket.once("data", () => received.resolve()))
    const { calls, close, send } = opened(dialTo(server.port))
    const sent = send(randomBytes(size))
    await received.promise
    const [socket] = server.sockets
    close()
    await expect(sent).rejects.toMatchObject(reset)
    socket?.resume()
    await once(socket!, "close")
    await callbacksRun()
    expect(calls).toEqual({ onFree: 0, onClose: 1, done: 1 })
  })

  it("ignores later events, so that a late error does not end the process", async () => {
    const server = await scriptedServer((socket) => readRequests(socket, () => socket.write(okResponse())))
    let client: Socket | undefined
    const { calls, close, send } = opened((done) =>
      dialTo(server.port)((error, socket) => done(error, (client = socket)))
    )
    await send()
    close()
    client?.emit("error", new Error("late"))
    client?.emit("timeout")
    client?.emit("data", Buffer.from("late"))
    client?.emit("end")
    expect(calls).toEqual({ onFree: 1, onClose: 1, done: 1 })
  })
})
