/** One connection, over which one request after another is sent, each when the one before it was answered. */
import { Duration } from "effect"
import type { Socket } from "node:net"
import * as Span from "../../domain/Span.ts"
import * as Answer from "./Answer.ts"

/** Begins a connection; tells when it can be written to, or why it cannot. Ends it when called back. */
export type Dial = (done: (error: Error | undefined, socket?: Socket) => void) => () => void

/** As it goes over the wire. */
export interface Message {
  /** Ends with an empty line; latin1. */
  readonly head: string
  readonly body: Uint8Array
}

export interface Connection {
  /** `done` is called once, unless the connection is closed before. */
  readonly send: (message: Message, done: (error: unknown, answer?: Answer.Answer) => void) => void
  readonly close: () => void
}

/** Nothing moved, or no connection came, for too long. */
export class TimedOut extends Error {
  override readonly name = "TimeoutError"
}

/** Bytes of a body that are handed to the system at once: of what TLS encrypts, a copy is in memory until it is sent. */
const slice = 512 * 1024
/** Bytes of a body that is copied behind its head, because one write costs less than two. */
const small = 64 * 1024

/** `free` is told when another request may be sent, `gone` when none will any more. */
export const open = (
  dial: Dial,
  idleMillis: number,
  { free, gone }: { readonly free: () => void; readonly gone: () => void }
): Connection => {
  let socket: Socket | undefined
  let pending: ((error: unknown, answer?: Answer.Answer) => void) | undefined
  let reader = Answer.reader()
  /** The system has not taken all of the body yet. */
  let writing = false
  let closed = false

  const close = () => {
    if (closed) return
    closed = true
    if (socket === undefined) hangUp()
    else socket.destroy()
    gone()
  }

  const settle = (error: unknown, answer?: Answer.Answer) => {
    const done = pending
    pending = undefined
    if (answer?.isReusable !== true) close()
    else if (!writing) free()
    // that it was taken may be told a moment after the answer; else nobody will read the rest
    else setImmediate(() => (writing ? close() : free()))
    done?.(error, answer)
  }

  const attempt = (read: () => Answer.Answer | undefined) => {
    try {
      const answer = read()
      if (answer !== undefined) settle(undefined, answer)
    } catch (error) {
      settle(error)
    }
  }

  const write = (connected: Socket, { body, head }: Message) => {
    if (body.length <= small) {
      const all = Buffer.allocUnsafe(head.length + body.length)
      all.write(head, "latin1")
      all.set(body, head.length)
      connected.write(all)
      return
    }
    writing = true
    let at = 0
    const next = () => {
      writing = at < body.length
      // after an early answer, or a failure, the rest is not worth sending
      if (!writing || pending === undefined) return
      connected.write(body.subarray(at, at + slice), next)
      at += slice
    }
    connected.write(head, "latin1")
    next()
  }

  let waiting: Message | undefined
  const hangUp = dial((error, connected) => {
    if (closed) return void connected?.destroy()
    if (connected === undefined) return settle(error)
    socket = connected
    connected.setTimeout(idleMillis, () =>
      settle(new TimedOut(`nothing moved for ${Span.format(Duration.millis(idleMillis))}`))
    )
    connected.on("data", (bytes: Buffer) => {
      if (pending === undefined) close()
      else attempt(() => reader.push(bytes))
    })
    connected.on("error", settle)
    connected.on("end", () => attempt(() => reader.end() ?? hungUp()))
    connected.on("close", () => settle(reset()))
    if (waiting !== undefined) write(connected, waiting)
    waiting = undefined
  })

  return {
    send: (message, done) => {
      pending = done
      reader = Answer.reader()
      if (socket === undefined) waiting = message
      else write(socket, message)
    },
    close
  }
}

/** As Node's own client calls it. */
const reset = () => Object.assign(new Error("socket hang up"), { code: "ECONNRESET" })

const hungUp = (): never => {
  throw reset()
}
