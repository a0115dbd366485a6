import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"

/** Creates a temporary folder that is removed when the process exits, even on a signal: it may hold gigabytes. */
export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "ibsr-export-bench-"))
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1))
  return folder
}
