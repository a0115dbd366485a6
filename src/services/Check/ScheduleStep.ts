/** The step of `check` that looks for the timer which starts the uploads. */
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import * as Check from "../../report/Check.ts"
import { namesOf } from "../../units/Job.ts"

const limitMillis = 2000

/** Times are in seconds since 1970, because of `--timestamp=unix`, which needs systemd 247 or later. */
const command = (timer: string) =>
  promisify(execFile)(
    "systemctl",
    ["show", timer, "--timestamp=unix", "--property=ActiveState,LoadState,NextElapseUSecRealtime"],
    { timeout: limitMillis }
  )

export const run: Effect.Effect<Check.Result> = Effect.promise(async () => {
  const timer = `${namesOf(undefined).unit}.timer`
  const shown = await command(timer).catch(() => undefined)
  if (shown === undefined) return Check.skip("schedule", "systemd does not run here")
  const values = new Map(shown.stdout.split("\n").map((line) => line.split("=", 2) as [string, string]))
  if (values.get("LoadState") !== "loaded") return Check.skip("schedule", `there is no ${timer}`)
  if (values.get("ActiveState") !== "active")
    return Check.warn(
      "schedule",
      `${timer} is not active: nothing starts the upload`,
      `run systemctl enable --now ${timer}`
    )
  const next = Number(/^@(\d+)/.exec(values.get("NextElapseUSecRealtime") ?? "")?.[1] ?? NaN)
  return Check.ok(
    "schedule",
    Number.isNaN(next) ? `${timer} is active` : `${timer} starts the next run at ${new Date(next * 1000).toISOString()}`
  )
})
