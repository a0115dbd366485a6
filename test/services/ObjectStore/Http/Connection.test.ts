import { describe, expect, it } from "@effect/vitest"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import process from "node:process"
import { Duplex } from "node:stream"
import { connect as connectTls } from "node:tls"
import { onTestFinished } from "vitest"
import type { Response } from "../../../../src/services/ObjectStore/Http/ResponseReader.ts"
import * as Connection from "../../../../src/services/ObjectStore/Http/Connection.ts"
import { type Certificate, makeAuthority } from "../../../fixtures/Certificates.ts"
import { okResponse, scriptedServer, readRequests } from "../../../fixtures/ScriptedServer.ts"

const KiB = 1024
const MiB = 1024 ** 2

const dial =
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

/** A connection, and how often each of its promises was kept. */
const opened = (dial: Connection.Dial, idleMillis = 10_000) => {
  const told = { free: 0, gone: 0, done: 0 }
  const over = Promise.withResolvers<void>()
  const connection = Connection.open(dial, idleMillis, {
    onFree: () => void told.free++,
    onClose: () => {
      told.gone++
      over.resolve()
    }
  })
  onTestFinished(connection.close)
  const send = (body: Uint8Array = new Uint8Array()): Promise<Response> =>
    new Promise((resolve, reject) => {
      const head = `PUT / HTTP/1.1\r\ncontent-length: ${body.length}\r\n\r\n`
      connection.send({ head, body }, (error, answer) => {
        told.done++
        if (answer === undefined) reject(error)
        else resolve(answer)
      })
    })
  return { ...connection, send, told, gone: over.promise }
}

/** What was under way in the process has been told. */
const settled = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

const reset = { code: "ECONNRESET", message: "socket hang up" }

const certificate = async () => {
  const authority = await makeAuthority()
  return { ...(await authority.issue("127.0.0.1")), ca: authority.cert }
}

describe.each(["the clear", "TLS"])("bodies in %s", (way) => {
  const serve = async () => {
    const tls = way === "TLS" ? await certificate() : undefined
    const bodies: Array<Buffer> = []
    const server = await scriptedServer(
      (socket) =>
        readRequests(socket, ({ body }) => {
          bodies.push(body)
          socket.write(okResponse())
        }),
      tls
    )
    return { bodies, server, dial: dial(server.port, tls && { ...tls, cert: tls.ca }) }
  }

  it("arrive as they are, whatever their size, over one connection", async () => {
    const { bodies, dial, server } = await serve()
    const { send, told } = opened(dial)
    const sizes = [0, 1, 64 * KiB - 1, 64 * KiB, 64 * KiB + 1, 512 * KiB, 512 * KiB + 1, 8 * MiB, 0, 8 * MiB + 1]
    const sent = sizes.map((size) => randomBytes(size))
    for (const body of sent) expect(await send(body)).toMatchObject({ status: 200 })
    await settled()
    expect(bodies.map((body, at) => body.equals(sent[at] ?? Buffer.of(0)))).toEqual(sizes.map(() => true))
    expect(server.sockets).toHaveLength(1)
    expect(told).toEqual({ free: sizes.length, gone: 0, done: sizes.length })
  })

  it("are handed to the system in slices, of which one is in memory", async () => {
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

  it("may take longer than the idle time, as long as something moves", { timeout: 20_000 }, async () => {
    const tls = way === "TLS" ? await certificate() : undefined
    const server = await scriptedServer((socket) => {
      readRequests(socket, () => socket.write(okResponse()))
      // a pause in every piece, of a length that buffers on the way cannot hide
      socket.on("data", () => {
        socket.pause()
        setTimeout(() => socket.resume(), 1)
      })
    }, tls)
    const begun = performance.now()
    // by TLS the pieces are smaller, and so what the system holds back on the way is longer under way
    const idleMillis = tls === undefined ? 200 : 1000
    const { send } = opened(dial(server.port, tls && { ...tls, cert: tls.ca }), idleMillis)
    expect(await send(randomBytes(32 * MiB))).toMatchObject({ status: 200 })
    expect(performance.now() - begun).toBeGreaterThan(idleMillis)
  })
})

describe("a connection", () => {
  it("serves a thousand requests, and nothing adds up", async () => {
    const warnings: Array<Error> = []
    const warned = (warning: Error) => warnings.push(warning)
    process.on("warning", warned)
    onTestFinished(() => void process.off("warning", warned))
    const server = await scriptedServer((socket) => readRequests(socket, () => socket.write(okResponse())))
    let client: Socket | undefined
    const { send, told } = opened((done) => dial(server.port)((error, socket) => done(error, (client = socket))))
    await send()
    const listeners = () => client?.eventNames().map((name) => [name, client?.listenerCount(name)])
    const few = listeners()
    for (let nth = 1; nth < 1000; nth++) await send(Buffer.from(String(nth)))
    expect(listeners()).toEqual(few)
    expect(server.sockets).toHaveLength(1)
    expect(told).toEqual({ free: 1000, gone: 0, done: 1000 })
    expect(warnings).toEqual([])
  })

  it("is not used again where the server says so", async () => {
    const server = await scriptedServer((socket) =>
      readRequests(socket, () => socket.write(okResponse("connection: close")))
    )
    const { send, told } = opened(dial(server.port))
    expect(await send()).toMatchObject({ status: 200, isReusable: false })
    expect(told).toEqual({ free: 0, gone: 1, done: 1 })
  })

  it("is closed by bytes that nobody asked for", async () => {
    const server = await scriptedServer((socket) => readRequests(socket, () => socket.write(okResponse())))
    const { gone, send, told } = opened(dial(server.port))
    await send()
    server.sockets[0]?.write(okResponse())
    await gone
    expect(told).toEqual({ free: 1, gone: 1, done: 1 })
  })

  it.each(["end", "destroy", "resetAndDestroy"] as const)("is gone when the server leaves it by %s", async (leave) => {
    const server = await scriptedServer((socket) => readRequests(socket, () => socket.write(okResponse())))
    const { gone, send, told } = opened(dial(server.port))
    await send()
    server.sockets[0]?.[leave]()
    await gone
    await settled()
    expect(told).toEqual({ free: 1, gone: 1, done: 1 })
  })

  it("is gone when nobody has used it for long", async () => {
    const server = await scriptedServer((socket) => readRequests(socket, () => socket.write(okResponse())))
    const { gone, send, told } = opened(dial(server.port), 50)
    await send()
    await gone
    expect(told).toEqual({ free: 1, gone: 1, done: 1 })
  })

  it.each(["end", "destroy", "resetAndDestroy"] as const)(
    "fails with a reset when the server leaves by %s before it answers",
    async (leave) => {
      const server = await scriptedServer((socket) => readRequests(socket, () => socket[leave]()))
      const { send, told } = opened(dial(server.port))
      await expect(send()).rejects.toMatchObject({ code: "ECONNRESET" })
      await settled()
      expect(told).toEqual({ free: 0, gone: 1, done: 1 })
    }
  )

  it("fails with a reset when the server leaves in its answer", async () => {
    const server = await scriptedServer((socket) =>
      readRequests(socket, () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe"))
    )
    await expect(opened(dial(server.port)).send()).rejects.toMatchObject(reset)
  })

  it("gives the answer that ends with the connection", async () => {
    const server = await scriptedServer((socket) =>
      readRequests(socket, () => socket.end("HTTP/1.0 503 No\r\n\r\nslow down"))
    )
    const answer = await opened(dial(server.port)).send()
    expect([answer.status, String(answer.body)]).toEqual([503, "slow down"])
  })

  it("fails by what is no HTTP", async () => {
    const server = await scriptedServer((socket) => socket.write("SSH-2.0-x\r\n"))
    const { send, told } = opened(dial(server.port))
    await expect(send(randomBytes(8 * MiB))).rejects.toMatchObject({ code: "ERR_HTTP_MALFORMED_RESPONSE" })
    expect(told).toEqual({ free: 0, gone: 1, done: 1 })
  })

  it("fails when nothing moves: no answer", async () => {
    const server = await scriptedServer((socket) => socket.resume())
    const { send, told } = opened(dial(server.port), 50)
    await expect(send()).rejects.toMatchObject({ name: "TimeoutError", message: "no traffic for 0.1 s" })
    await settled()
    expect(told).toEqual({ free: 0, gone: 1, done: 1 })
  })

  it("fails when nothing moves: a body that nobody takes", async () => {
    const server = await scriptedServer((socket) => socket.pause())
    await expect(opened(dial(server.port), 50).send(randomBytes(32 * MiB))).rejects.toMatchObject({
      name: "TimeoutError"
    })
  })

  it("fails when none can be made", async () => {
    const { port, sockets } = await scriptedServer((socket) => socket.end())
    const refused = Object.assign(new Error("no"), { code: "ECONNREFUSED" })
    const { send, told } = opened((done) => {
      done(refused)
      return () => {}
    })
    await expect(send()).rejects.toBe(refused)
    expect(told).toEqual({ free: 0, gone: 1, done: 1 })
    expect([port > 0, sockets]).toEqual([true, []])
  })
})

describe("an answer that comes before the body was taken", () => {
  const tooLarge = (connection: string) => `HTTP/1.1 413 No\r\ncontent-length: 0\r\nconnection: ${connection}\r\n\r\n`

  it.each(["close", "keep-alive"])("is given, and ends the connection: %s", async (connection) => {
    const server = await scriptedServer((socket) => {
      socket.once("data", () => {
        socket.pause().write(tooLarge(connection))
      })
    })
    const { gone, send, told } = opened(dial(server.port))
    expect(await send(randomBytes(32 * MiB))).toMatchObject({ status: 413 })
    await gone
    expect(told).toEqual({ free: 0, gone: 1, done: 1 })
  })

  it("is given before anything else may be written into the body's memory", async () => {
    let bytes = 0
    const server = await scriptedServer((socket) => {
      socket.once("data", () => {
        socket.pause().write(tooLarge("keep-alive"))
      })
      socket.on("data", (piece: Buffer) => (bytes += piece.length))
    })
    const { send, told } = opened(dial(server.port))
    await send(randomBytes(32 * MiB))
    // it is closed by then: nothing of the body goes out any more
    expect(told.gone).toBe(1)
    server.sockets[0]?.resume()
    await once(server.sockets[0]!, "close")
    expect(bytes).toBeLessThan(32 * MiB)
  })

  it("lets a small body, which is on its way as a whole, be followed by another request", async () => {
    const server = await scriptedServer((socket) => {
      socket.once("data", () => socket.write(okResponse()))
      readRequests(socket, (_, nth) => nth > 1 && socket.write(okResponse()))
    })
    const { send } = opened(dial(server.port))
    await send(randomBytes(64 * KiB))
    expect(await send()).toMatchObject({ status: 200 })
    expect(server.sockets).toHaveLength(1)
  })
})

/** Over a connection that takes what is written as `write` does. */
const over = (write: (this: Duplex, bytes: Buffer, done: (error?: Error) => void) => void) => {
  const socket = Object.assign(
    new Duplex({
      read() {},
      write(bytes: Buffer, _encoding, done) {
        write.call(this, bytes, done)
      }
    }),
    { setTimeout: () => {} }
  )
  const way = opened((done) => {
    done(undefined, socket as unknown as Socket)
    return () => {}
  })
  return { ...way, socket }
}

it("an answer that comes with the end of the connection is read before more is written", async () => {
  let pieces = 0
  const { send } = over(function (bytes, done) {
    if (bytes.length < 512 * KiB) return done()
    pieces++
    if (pieces > 1) return done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }))
    setImmediate(setImmediate, () => this.push("HTTP/1.1 403 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"))
    done()
  })
  expect(await send(Buffer.alloc(2 * MiB))).toMatchObject({ status: 403 })
  expect(pieces).toBe(1)
})

describe("an answer that comes before the system says that it took the body", () => {
  /** A connection whose other end takes all, and says so when it is told to. */
  const held = () => {
    let tell = () => {}
    const way = over((bytes, done) => {
      if (bytes.length < 512 * KiB) done()
      else tell = done
    })
    return { ...way, tell: () => tell() }
  }

  it.each([
    ["which it says at once, lets the connection be used again", false, { free: 1, gone: 0, done: 1 }],
    ["does not bring back a connection that is closed at once", true, { free: 0, gone: 1, done: 1 }]
  ])("%s", async (_, isClosed, expected) => {
    const { close, send, socket, tell, told } = held()
    const sent = send(Buffer.alloc(512 * KiB))
    socket.emit("data", Buffer.from(okResponse()))
    tell()
    if (isClosed) close()
    expect(await sent).toMatchObject({ status: 200 })
    await settled()
    expect(told).toEqual(expected)
  })

  it("ends the connection where it does not say so", async () => {
    const { send, socket, told } = held()
    const sent = send(Buffer.alloc(512 * KiB))
    socket.emit("data", Buffer.from(okResponse()))
    expect(told.done).toBe(0)
    expect(await sent).toMatchObject({ status: 200 })
    expect(told).toEqual({ free: 0, gone: 1, done: 1 })
  })
})

describe("closing", () => {
  it("while it is dialled hangs up, and tells who waits", async () => {
    let hungUp = 0
    const { close, send, told } = opened(() => () => void hungUp++)
    const sent = send()
    close()
    await expect(sent).rejects.toMatchObject(reset)
    close()
    expect(hungUp).toBe(1)
    expect(told).toEqual({ free: 0, gone: 1, done: 1 })
  })

  it("after it was made does not hang up what is under it", async () => {
    const server = await scriptedServer((socket) => readRequests(socket, () => socket.write(okResponse())))
    let hungUp = 0
    const { close, send } = opened((done) => {
      dial(server.port)(done)
      return () => void hungUp++
    })
    await send()
    close()
    expect(hungUp).toBe(0)
  })

  it("lets go of a connection that comes all the same", async () => {
    const server = await scriptedServer((socket) => socket.resume())
    const socket = connect(server.port, "127.0.0.1")
    await once(socket, "connect")
    let tell: Parameters<Connection.Dial>[0] = () => {}
    const { close, send, told } = opened((done) => {
      tell = done
      return () => {}
    })
    const sent = send()
    close()
    tell(undefined, socket)
    await expect(sent).rejects.toMatchObject(reset)
    expect(socket.destroyed).toBe(true)
    expect(told.done).toBe(1)
  })

  it.each([0, 32 * MiB])("while %i bytes wait for an answer ends it on the wire", async (size) => {
    const begun = Promise.withResolvers<void>()
    const server = await scriptedServer((socket) => void socket.once("data", () => begun.resolve()))
    const { close, send, told } = opened(dial(server.port))
    const sent = send(randomBytes(size))
    await begun.promise
    const [socket] = server.sockets
    close()
    await expect(sent).rejects.toMatchObject(reset)
    socket?.resume()
    await once(socket!, "close")
    await settled()
    expect(told).toEqual({ free: 0, gone: 1, done: 1 })
  })

  it("is not followed by anything: an error that comes late does not end the process", async () => {
    const server = await scriptedServer((socket) => readRequests(socket, () => socket.write(okResponse())))
    let client: Socket | undefined
    const { close, send, told } = opened((done) => dial(server.port)((error, socket) => done(error, (client = socket))))
    await send()
    close()
    client?.emit("error", new Error("late"))
    client?.emit("timeout")
    client?.emit("data", Buffer.from("late"))
    client?.emit("end")
    expect(told).toEqual({ free: 1, gone: 1, done: 1 })
  })
})
