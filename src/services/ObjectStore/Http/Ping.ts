/**
 * Tells a monitoring service about the start and the end of a run, as healthchecks.io defines it: a request to
 * `URL/start`, and one to `URL/<exit code>` with the last lines of the report. Best effort: a failure is only logged.
 * Source: "Pinging API" in the documentation of healthchecks.io.
 */
import { Cause, Duration, Effect, Either, Fiber, type Scope } from "effect"
import type { Env } from "../../../domain/Env.ts"
import * as Proxy from "../../../domain/Proxy.ts"
import * as Client from "./Client.ts"
import * as Dialer from "./Dialer.ts"
import { detailOf } from "../../SystemError.ts"

export interface Ping {
  /** Waits for the request of the start, so that the service receives both in order. */
  readonly ended: (exitCode: number, lastLines: string) => Effect.Effect<void>
}

/** Short, because the run waits for the last request. */
const timeout = Duration.seconds(5)

/** Sends the request of the start, and does not wait for it. */
export const start = (url: URL, env: Env): Effect.Effect<Ping, never, Scope.Scope> =>
  Effect.gen(function* () {
    const millis = Duration.toMillis(timeout)
    const proxies = Either.getOrElse(Proxy.fromEnv(env), () => ({}))
    const trust = { extraAuthorities: env["NODE_EXTRA_CA_CERTS"] || undefined }
    const http = yield* Client.make(Dialer.make(proxies, trust, millis), millis)
    const send = (suffix: string, text: string) =>
      http.exchange(request(url, suffix, text)).pipe(
        Effect.timeout(timeout),
        Effect.matchCauseEffect({
          onFailure: (cause) => failed(detailOf(Cause.squash(cause))),
          onSuccess: ({ status }) => (status < 300 ? Effect.void : failed(`it answered ${status}`))
        })
      )
    const started = yield* Effect.fork(send("start", ""))
    return { ended: (exitCode, lastLines) => Effect.zipRight(Fiber.join(started), send(String(exitCode), lastLines)) }
  })

const failed = (error: string) => Effect.annotateLogs(Effect.logWarning("the ping failed"), { error })

const request = (url: URL, suffix: string, text: string): Client.Request => {
  const isSecure = url.protocol === "https:"
  return {
    origin: {
      protocol: isSecure ? "https:" : "http:",
      hostname: url.hostname,
      port: Number(url.port) || (isSecure ? 443 : 80)
    },
    method: "POST",
    target: `${url.pathname.replace(/\/$/, "")}/${suffix}${url.search}`,
    headers: { host: url.host, "content-type": "text/plain; charset=utf-8" },
    body: Buffer.from(text)
  }
}
