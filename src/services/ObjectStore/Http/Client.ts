/**
 * An HTTP/1.1 client for requests whose body is in memory. Uploads need nothing else.
 *
 * Node's client and undici support all requests, but take about three times as much CPU: 105 and 80 µs per request,
 * instead of 30 µs here, for 10,000 bodies of 5 KB over a kept connection (Node 24, without signing).
 */
import { type Clock, Effect, Exit } from "effect"
import * as Callback from "../../../fibers/Callback.ts"
import * as Connection from "./Connection.ts"
import type { Response } from "./ResponseReader.ts"

export interface Request {
  /** The request is sent over a connection to this origin. */
  readonly origin: Origin
  readonly method: string
  /** Path and query, percent-encoded. */
  readonly target: string
  /** Including `host`, without `content-length`. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface Origin {
  readonly protocol: "http:" | "https:"
  readonly hostname: string
  readonly port: number
}

/** How to reach an origin. */
export interface Route {
  readonly dial: Connection.Dial
  /** Headers for a forwarding proxy, which receives the whole URL as target; undefined without such a proxy. */
  readonly proxyHeaders: Readonly<Record<string, string>> | undefined
  /** Host and port of the proxy, if there is one. */
  readonly proxy: string | undefined
}

export interface HttpClient {
  /**
   * Sends a request once. A `Callback`; interruption closes the connection. Fails with errors of Node,
   * `MalformedResponse`, `TimeoutError` or `StalledError`. The body must not change until the exchange has ended.
   */
  readonly exchange: (request: Request) => Effect.Effect<Response, unknown>
}

/** Opens as many connections as there are concurrent requests, and keeps them until the scope closes. */
export const make = (routeTo: (origin: Origin) => Route, stallMillis: number) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const pools = yield* Effect.acquireRelease(
      Effect.sync(() => new Map<string, Pool>()),
      (opened) => Effect.sync(() => opened.forEach(closeAll))
    )
    const poolOf = (origin: Origin) => {
      const name = `${origin.protocol}//${origin.hostname}:${origin.port}`
      let pool = pools.get(name)
      if (pool === undefined) {
        pool = { ...routeTo(origin), clock, stallMillis, all: new Set(), idle: [] }
        pools.set(name, pool)
      }
      return pool
    }
    const http: HttpClient = {
      exchange: (request) =>
        Callback.make((resume) => {
          const pool = poolOf(request.origin)
          let message: Connection.Message
          try {
            message = asMessage(request, pool.proxyHeaders)
          } catch (error) {
            resume(Exit.fail(error))
            return () => {}
          }
          // undefined after the exchange, because another request may then be using the connection
          let connection: Connection.Connection | undefined = takeIdle(pool) ?? connect(pool)
          connection.send(message, (error, response) => {
            connection = undefined
            resume(response === undefined ? Exit.fail(error) : Exit.succeed(response))
          })
          return () => connection?.close()
        })
    }
    return http
  })

/** The connections to one origin. */
interface Pool extends Route {
  readonly clock: Clock.Clock
  readonly stallMillis: number
  readonly all: Set<Connection.Connection>
  /** The most recently used connection is reused first, so that surplus ones expire. `since` is monotonic time. */
  readonly idle: Array<{ readonly connection: Connection.Connection; readonly since: bigint }>
}

/**
 * In nanoseconds. A connection that was idle for longer is not reused. Many servers close an idle connection after five
 * seconds, and a request that is sent at that moment fails.
 */
const maxIdleNanos = 4_000_000_000n

const takeIdle = ({ clock, idle }: Pool): Connection.Connection | undefined => {
  const last = idle.pop()
  if (last === undefined || clock.unsafeCurrentTimeNanos() - last.since < maxIdleNanos) return last?.connection
  // the other connections are closed as well, because they have been idle for even longer
  for (const { connection } of [last, ...idle]) connection.close()
  return undefined
}

const connect = ({ all, clock, dial, idle, stallMillis }: Pool) => {
  const connection = Connection.open(dial, stallMillis, {
    onFree: () => void idle.push({ connection, since: clock.unsafeCurrentTimeNanos() }),
    onClose: () => {
      all.delete(connection)
      const at = idle.findIndex((entry) => entry.connection === connection)
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
  asProxy: Route["proxyHeaders"]
): Connection.Message => {
  // a space would end the target, and a line break the request line
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

/** An invalid request, with the error code that Node's client uses. */
const invalid = (what: string) =>
  Object.assign(new TypeError(`${what} contains an invalid character`), { code: "ERR_INVALID_CHAR" })
