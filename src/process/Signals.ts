/** The first signal stops the run gracefully. A second signal, or a signal after the run, ends the process at once. */
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { constants } from "node:os"
import process from "node:process"
import * as ExitCode from "../domain/ExitCode.ts"
import type { OutputStream } from "../services/Stdio.ts"
import { Stop } from "../services/Stop.ts"
import { exit } from "./Exit.ts"

const signals = ["SIGHUP", "SIGINT", "SIGTERM"] as const satisfies ReadonlyArray<ExitCode.StopSignal>

/**
 * The signals that were ignored when the program started, for example because of `nohup` or a shell's `&`. They must
 * not end the run. Node resets them, so the binary's entry code records signal N by ignoring the real-time signal 40 +
 * N: see `scripts/build/entryCode.ts`. Returns none without /proc, and none for the bundle, which has no entry code.
 * Source of `SigIgn`, a mask in hexadecimal: proc(5).
 */
const ignored = (): ReadonlyArray<ExitCode.StopSignal> => {
  try {
    const [, mask = "0"] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1")) ?? []
    return signals.filter((signal) => (BigInt(`0x${mask}`) >> BigInt(40 + constants.signals[signal] - 1)) & 1n)
  } catch {
    return []
  }
}

/** Reports on `stderr`, once for each ignored signal, that it has no effect. */
export const listen = (stderr: OutputStream) => {
  const stop = Stop.make()
  let isStopping = false
  let isOver = false
  const inherited = new Set(ignored())
  for (const signal of signals) {
    if (inherited.has(signal)) {
      const text = `ibsr-export: ${signal} stays ignored, as it was when the program started`
      process.once(signal, () => stderr.writeLine({ text, severity: "notice" }))
      // an empty listener, because without one the signal would end the process
      process.on(signal, () => {})
      continue
    }
    process.on(signal, () => {
      if (isStopping || isOver) exit(ExitCode.ofSignal[signal].code)
      isStopping = true
      Effect.runFork(stop.request({ _tag: "Signal", signal }))
    })
  }
  // without a listener, Node would open a debugger's port, and the signal would kill the binary
  process.on("SIGUSR1", () => {})
  return {
    stop,
    /** Call it after the run. Returns whether a signal stopped the run. */
    runEnded: (): boolean => {
      isOver = true
      return isStopping
    }
  }
}
