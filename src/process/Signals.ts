/** The first signal stops the run gracefully. A second signal, or a signal after the run, ends the process at once. */
import { Effect } from "effect"
import process from "node:process"
import * as ExitCode from "../domain/ExitCode.ts"
import { Stop } from "../services/Stop.ts"

export const listen = () => {
  const stop = Stop.make()
  let isStopping = false
  let isOver = false
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (isStopping || isOver) process.exit(ExitCode.ofSignal[signal].code)
      isStopping = true
      Effect.runFork(stop.request({ _tag: "Signal", signal }))
    })
  }
  return {
    stop,
    /** Call it after the run. Returns whether a signal stopped the run. */
    runEnded: (): boolean => {
      isOver = true
      return isStopping
    }
  }
}
