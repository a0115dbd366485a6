/**
 * HTTP/1.1 for requests whose body is in memory and has a known length: what an upload needs, and no more.
 *
 * Node's own client and undici do the same for any request, and cost three and two times as much: for 10,000 bodies of
 * 5 KB over a kept connection 105, 80 and 30 µs of CPU each (Node 24, without signing), where all else that is done for
 * such a file takes less than that.
 */
import { type Clock, Effect, Exit } from "effect"
import * as Callback from "../../../fibers/Callback.ts"
import type { Response } from "./ResponseReader.ts"
import * as Connection from "./Connection.ts"

export interface Request {
  /** Names the connections that it may be sent over; what it is is the dialler's to say. */
  readonly origin: Origin
  readonly method: string
  /** Path and query, percent-encoded. */
  readonly target: string
  /** With `host`; without `content-length`. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface Origin {
  readonly protocol: "http:" | "https:"
  readonly hostname: string
  readonly port: number
}

/** How an origin is reached. */
export interface Route {
  readonly dial: Connection.Dial
  /** A proxy that reads each request is asked for the whole URL, with these headers. */
  readonly asProxy: Readonly<Record<string, string>> | undefined
}

export interface HttpClient {
  /**
   * One attempt, a `Call`; interruption closes its connection. Fails with what Node throws, `Garbled` or
   * `TimedOut`. The body must not change until it ends.
   */
  readonly exchange: (request: Request) => Effect.Effect<Response, unknown>
}

/** Connections are kept until the scope ends; as many are opened as requests are made at once. */
export const make = (routes: (origin: Origin) => Route, idleMillis: number) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const pools = yield* Effect.acquireRelease(
      Effect.sync(() => new Map<string, Pool>()),
      (pools) => Effect.sync(() => pools.forEach(closeAll))
    )
    const poolOf = (origin: Origin) => {
      const name = `${origin.protocol}//${origin.hostname}:${origin.port}`
      let pool = pools.get(name)
      if (pool === undefined) {
        pool = { ...routes(origin), clock, idleMillis, all: new Set(), idle: [] }
        pools.set(name, pool)
      }
      return pool
    }
    const http: HttpClient = {
      exchange: (request) =>
        Callback.make((ended) => {
          const pool = poolOf(request.origin)
          let message: Connection.Message
          try {
            message = asMessage(request, pool.asProxy)
          } catch (error) {
            ended(Exit.fail(error))
            return () => {}
          }
          // undefined when it has ended: others may be using it then
          let used: Connection.Connection | undefined = takeIdle(pool) ?? connect(pool)
          used.send(message, (error, answer) => {
            used = undefined
            ended(answer === undefined ? Exit.fail(error) : Exit.succeed(answer))
          })
          return () => used?.close()
        })
    }
    return http
  })

/** The connections to one origin. */
interface Pool extends Route {
  readonly clock: Clock.Clock
  readonly idleMillis: number
  readonly all: Set<Connection.Connection>
  /** The one used last is taken first, so that those not needed any more become old. `since`: by `clock`, which never goes back. */
  readonly idle: Array<{ readonly connection: Connection.Connection; readonly since: bigint }>
}

/**
 * Nanoseconds. Servers close what is idle, many after five seconds, and a request that is under way at this moment
 * fails; so nobody is asked over a connection that may be about to end.
 */
const longestIdle = 4_000_000_000n

const takeIdle = ({ clock, idle }: Pool): Connection.Connection | undefined => {
  const last = idle.pop()
  if (last === undefined || clock.unsafeCurrentTimeNanos() - last.since < longestIdle) return last?.connection
  // so are all the others
  for (const { connection } of [last, ...idle]) connection.close()
  return undefined
}

const connect = ({ all, clock, dial, idle, idleMillis }: Pool) => {
  const connection = Connection.open(dial, idleMillis, {
    free: () => void idle.push({ connection, since: clock.unsafeCurrentTimeNanos() }),
    gone: () => {
      all.delete(connection)
      const at = idle.findIndex((one) => one.connection === connection)
      if (at >= 0) idle.splice(at, 1)
    }
  })
  all.add(connection)
  return connection
}

const closeAll = ({ all }: Pool) => {
  for (const connection of all) connection.close()
}

const asMessage = (
  { body, headers, method, origin, target }: Request,
  asProxy: Route["asProxy"]
): Connection.Message => {
  // it is percent-encoded, so a blank in it would be the end of the line, or of its first half
  if (!/^\/[!-~]*$/.test(target)) throw invalid("the path")
  const url = asProxy === undefined ? target : `${origin.protocol}//${headers["host"]}${target}`
  let head = `${method} ${url} HTTP/1.1\r\n`
  for (const name in headers) head += line(name, headers[name])
  for (const name in asProxy) head += line(name, asProxy[name])
  return { head: `${head}content-length: ${body.length}\r\n\r\n`, body }
}

const field = /^[\w!#$%&'*+.^`|~-]+: [\t\x20-\x7e\x80-\xff]*$/

const line = (name: string, value = "") => {
  const text = `${name}: ${value}`
  if (!field.test(text)) throw invalid(`the header ${JSON.stringify(name)}`)
  return `${text}\r\n`
}

/** The caller's mistake; the code is that of Node's client. */
const invalid = (what: string) =>
  Object.assign(new TypeError(`${what} has a character that may not be there`), { code: "ERR_INVALID_CHAR" })
