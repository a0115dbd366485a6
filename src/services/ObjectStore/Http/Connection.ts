/** A connection, which sends one request at a time. */
import { Duration } from "effect"
import type { Socket } from "node:net"
import * as DurationText from "../../../domain/DurationText.ts"
import * as ResponseReader from "./ResponseReader.ts"
import * as SendQueue from "./SendQueue.ts"

/** Connects, and calls `done` once, with a socket to write to or an error. Returns a function that cancels it. */
export type Dial = (done: (error: unknown, socket?: Socket) => void) => () => void

/** A request as it is sent. */
export interface Message {
  /** Includes the empty line at its end. Sent as latin1. */
  readonly head: string
  readonly body: Uint8Array
}

export interface Connection {
  /** Calls `done` once: with the response, or with an error of Node, `MalformedResponse`, `TimeoutError` or `StalledError`. */
  readonly send: (message: Message, done: Done) => void
  /** Fails a request in flight with `connectionReset`. */
  readonly close: () => void
}

type Done = (error: unknown, response?: ResponseReader.Response) => void

/** No connection was made in time. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError"
}

/** A connection made no progress for too long. */
export class StalledError extends Error {
  override readonly name = "StalledError"
}

/** The error of Node's client for a connection that closes before the response. */
export const connectionReset = () => Object.assign(new Error("socket hang up"), { code: "ECONNRESET" })

/** The error for a successful response that arrives before the whole request was sent. */
const prematureResponse = () =>
  Object.assign(new Error("the answer reports success, but the request was not read to its end"), {
    code: "ERR_HTTP_PREMATURE_RESPONSE"
  })

/**
 * The number of bytes of a body that are written at once. TLS keeps an encrypted copy of them in memory until they are
 * sent.
 */
const sliceBytes = 512 * 1024
/** The largest body, in bytes, that is copied behind its head: one write costs less than two. */
const maxCopiedBytes = 64 * 1024

/** The number of checks that must find no traffic before a connection counts as stalled. */
const checks = 4

/**
 * Opens a connection. Fails a request after `stallMillis` without progress: the system accepts no byte of the request,
 * and the other side acknowledges and sends none. Calls `onFree` each time the connection is ready for a request, and
 * `onClose` once, when it closes.
 */
export const open = (
  dial: Dial,
  stallMillis: number,
  { onClose, onFree }: { readonly onClose: () => void; readonly onFree: () => void }
): Connection => {
  let socket: Socket | undefined
  let cancelDial = () => {}
  /** Callback of the request in flight. */
  let pending: Done | undefined
  let reader = ResponseReader.make()
  /** Whether a part of the body has not been written yet. */
  let writing = false
  /** Whether the system has not accepted the whole request yet. */
  const isSending = () => writing || (socket !== undefined && socket.writableLength > 0)
  /** Bytes of the body of the request in flight. */
  let bodyBytes = 0
  /**
   * Whether the other side has not received the whole request. A store that responds before it has read a body closes the
   * connection, so only then is it worth the milliseconds that the answer takes. A smaller body may always be on its way.
   */
  const isUnread = ({ isReusable }: ResponseReader.Response) =>
    !isReusable && bodyBytes > maxCopiedBytes && socket !== undefined && (SendQueue.unacknowledged(socket) ?? 0) > 0
  /** Whether a response has arrived, and waits until the system reports the end of the write. */
  let settling = false
  let closed = false

  const fail = (error: unknown) => {
    if (closed) return
    closed = true
    const done = pending
    pending = undefined
    if (socket === undefined) cancelDial()
    // a destroyed socket never reports the end of a write
    else if (!settling) socket.destroy()
    onClose()
    done?.(error)
  }
  const close = () => fail(connectionReset())

  const onResponse = (response: ResponseReader.Response) => {
    const done = pending
    pending = undefined
    const finish = () => {
      settling = false
      const isPremature = isSending() || (response.status < 300 && isUnread(response))
      // after a premature response, closes the connection: the server would read the next request as the rest of this
      // body
      if (closed) socket?.destroy()
      else if (!response.isReusable || isPremature) close()
      else onFree()
      // a store cannot confirm a body before it has read it
      if (isPremature && response.status < 300) done?.(prematureResponse())
      else done?.(undefined, response)
    }
    // the system may report the end of the write a moment after the response
    settling = isSending() && (response.isReusable || response.status < 300)
    if (settling) setImmediate(finish)
    else finish()
  }

  const read = (step: () => ResponseReader.Response | undefined) => {
    // closes the connection, because bytes that arrive with no request in flight are not a response
    if (pending === undefined) return close()
    try {
      const response = step()
      if (response !== undefined) onResponse(response)
    } catch (error) {
      fail(error)
    }
  }

  /** Calls `fail` if the connection stalls. Node reports each period without traffic once. */
  const watch = (connected: Socket) => {
    let former = ""
    let silentChecks = 0
    const check = () => {
      if (pending === undefined) return close()
      const { bytesRead, bytesWritten } = connected
      const progress = `${bytesRead} ${bytesWritten} ${SendQueue.unacknowledged(connected)}`
      silentChecks = progress === former ? silentChecks + 1 : 1
      former = progress
      if (silentChecks < checks) next()
      else fail(new StalledError(`no progress for ${DurationText.format(Duration.millis(stallMillis))}`))
    }
    const next = () => connected.setTimeout(stallMillis / checks)
    connected.on("timeout", check)
    next()
  }

  const listen = (connected: Socket) => {
    watch(connected)
    connected.on("data", (bytes: Buffer) => read(() => reader.push(bytes)))
    connected.on("end", () => {
      read(() => reader.end())
      close()
    })
    connected.on("error", (error) => {
      // a server that reads no request body resets the connection right after its response
      read(() => reader.reset())
      fail(error)
    })
    connected.on("close", close)
  }

  const write = (connected: Socket, { body, head }: Message) => {
    if (body.length <= maxCopiedBytes) {
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
      at = Math.min(body.length, from + sliceBytes)
      writing = true
      connected.write(body.subarray(from, at), (error) => {
        if (error) return
        if (at === body.length) writing = false
        // two iterations, so that Node reads the socket before the next write: a failed write would lose an early
        // response
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
      bodyBytes = message.body.length
      reader = ResponseReader.make()
      if (socket !== undefined) return write(socket, message)
      cancelDial = dial((error, connected) => {
        if (closed) return void connected?.destroy()
        if (connected === undefined) return fail(error)
        socket = connected
        listen(connected)
        write(connected, message)
      })
    },
    close
  }
}
