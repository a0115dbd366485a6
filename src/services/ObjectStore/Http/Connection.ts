/** One connection, over which one request after another is sent, each when the one before it was answered. */
import { Duration } from "effect"
import type { Socket } from "node:net"
import * as DurationText from "../../../domain/DurationText.ts"
import * as ResponseReader from "./ResponseReader.ts"

/** Begins a connection; tells once when it can be written to, or why it cannot. Gives up when called back before. */
export type Dial = (done: (error: unknown, socket?: Socket) => void) => () => void

/** As it goes over the wire. */
export interface Message {
  /** Ends with an empty line; latin1. */
  readonly head: string
  readonly body: Uint8Array
}

export interface Connection {
  /** `done` is called once: with the answer, or with what Node throws, `Garbled` or `TimedOut`. */
  readonly send: (message: Message, done: Done) => void
  /** Whoever waits is told that it was cut. */
  readonly close: () => void
}

type Done = (error: unknown, answer?: ResponseReader.Response) => void

/** Nothing moved, or no connection came, for too long. */
export class TimedOut extends Error {
  override readonly name = "TimeoutError"
}

/** As Node's own client calls it. */
export const cut = () => Object.assign(new Error("socket hang up"), { code: "ECONNRESET" })

/** Bytes of a body that are handed to the system at once: of what TLS encrypts, a copy is in memory until it is sent. */
const slice = 512 * 1024
/** Bytes of a body that is copied behind its head, because one write costs less than two. */
const small = 64 * 1024

/** `free` is told when another request may be sent, `gone`, once, when none will any more. */
export const open = (
  dial: Dial,
  idleMillis: number,
  { free, gone }: { readonly free: () => void; readonly gone: () => void }
): Connection => {
  let socket: Socket | undefined
  let hangUp = () => {}
  /** Who waits for an answer. */
  let pending: Done | undefined
  let reader = ResponseReader.make()
  /** The system has not taken all of the body yet. */
  let writing = false
  let closed = false

  const end = (error: unknown) => {
    if (closed) return
    closed = true
    const done = pending
    pending = undefined
    if (socket === undefined) hangUp()
    else socket.destroy()
    gone()
    done?.(error)
  }
  const close = () => end(cut())

  const answered = (answer: ResponseReader.Response) => {
    const done = pending
    pending = undefined
    const settle = () => {
      // a body whose rest nobody reads would be taken for the next request
      if (!answer.isReusable || writing) close()
      else if (!closed) free()
      done?.(undefined, answer)
    }
    // that all was taken may be told a moment after the answer
    if (answer.isReusable && writing) setImmediate(settle)
    else settle()
  }

  const read = (step: () => ResponseReader.Response | undefined) => {
    // what comes while nobody waits answers nothing
    if (pending === undefined) return close()
    try {
      const answer = step()
      if (answer !== undefined) answered(answer)
    } catch (error) {
      end(error)
    }
  }

  const listen = (connected: Socket) => {
    connected.setTimeout(idleMillis, () =>
      end(new TimedOut(`nothing moved for ${DurationText.format(Duration.millis(idleMillis))}`))
    )
    connected.on("data", (bytes: Buffer) => read(() => reader.push(bytes)))
    connected.on("end", () => {
      read(() => reader.end())
      close()
    })
    connected.on("error", end)
    connected.on("close", close)
  }

  const write = (connected: Socket, { body, head }: Message) => {
    if (body.length <= small) {
      connected.cork()
      connected.write(head, "latin1")
      connected.write(body)
      connected.uncork()
      return
    }
    let at = 0
    const next = () => {
      if (closed) return
      const from = at
      at = Math.min(body.length, from + slice)
      writing = true
      connected.write(body.subarray(from, at), (error) => {
        if (error) return
        if (at === body.length) writing = false
        // sockets are read between the two turns: an answer that comes early is lost if a write fails before that
        else setImmediate(setImmediate, next)
      })
    }
    connected.cork()
    connected.write(head, "latin1")
    next()
    connected.uncork()
  }

  return {
    send: (message, done) => {
      pending = done
      reader = ResponseReader.make()
      if (socket !== undefined) return write(socket, message)
      hangUp = dial((error, connected) => {
        if (closed) return void connected?.destroy()
        if (connected === undefined) return end(error)
        socket = connected
        listen(connected)
        write(connected, message)
      })
    },
    close
  }
}
