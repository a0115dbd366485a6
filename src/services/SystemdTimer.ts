/** Finds out when systemd will start a job next. */
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { resolve } from "node:path"
import { namesOf } from "../units/Job.ts"

/** A short timeout, because the status can be printed without the answer if systemd hangs. */
const timeoutMillis = 2000

/** Returns the unit of the job whose ledger is in this directory; undefined for any other directory. */
export const unitOf = (stateDir: string): string | undefined => {
  // systemd keeps the state directory of a dynamic user below /var/lib/private
  const path = resolve(stateDir).replace("/var/lib/private/", "/var/lib/")
  const [, job] = /^\/var\/lib\/ibsr-export(?:-([^/]+))?$/.exec(path) ?? []
  const names = namesOf(job)
  return names.stateDirectory === path ? names.unit : undefined
}

/** Returns the time in ISO 8601; undefined without systemd, without the timer, or if the timer is not enabled. */
export const nextRun = (stateDir: string): Effect.Effect<string | undefined> => {
  const unit = unitOf(stateDir)
  if (unit === undefined) return Effect.succeed(undefined)
  const args = ["show", `${unit}.timer`, "--property=NextElapseUSecRealtime", "--value"]
  // sets TZ, because systemd prints times in that time zone
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
