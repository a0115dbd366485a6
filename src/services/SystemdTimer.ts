/** When systemd starts a job next. */
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { resolve } from "node:path"
import { namesOf } from "../units/Job.ts"

/** For a system that hangs: the status does not depend on it. */
const timeoutMillis = 2000

/** The unit of the job whose ledger is in this directory; undefined for any other directory. */
export const unitOf = (stateDir: string): string | undefined => {
  // systemd keeps the directory of a user that it allocates below /var/lib/private
  const path = resolve(stateDir).replace("/var/lib/private/", "/var/lib/")
  const [, job] = /^\/var\/lib\/ibsr-export(?:-([^/]+))?$/.exec(path) ?? []
  const names = namesOf(job)
  return names.stateDirectory === path ? names.unit : undefined
}

/** ISO 8601; undefined without systemd, without the timer, or if the timer is not enabled. */
export const nextRun = (stateDir: string): Effect.Effect<string | undefined> => {
  const unit = unitOf(stateDir)
  if (unit === undefined) return Effect.succeed(undefined)
  const args = ["show", `${unit}.timer`, "--property=NextElapseUSecRealtime", "--value"]
  // systemd prints times in the zone of $TZ
  const env = { PATH: process.env["PATH"], TZ: "UTC", LC_ALL: "C" }
  return Effect.async((resume) => {
    execFile("systemctl", args, { env, timeout: timeoutMillis }, (error, stdout) =>
      resume(Effect.succeed(error === null ? parse(stdout) : undefined))
    )
  })
}

/** Reads a time such as `Fri 2026-11-27 19:17:00 UTC`. */
export const parse = (text: string): string | undefined => {
  const [, date, time] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? UTC/.exec(text) ?? []
  return date === undefined ? undefined : `${date}T${time}Z`
}
