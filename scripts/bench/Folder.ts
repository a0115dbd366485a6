import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"

/** A temporary folder that is gone when the process is, even if it was interrupted: gigabytes may lie in it. */
export const temporary = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "ibsr-export-bench-"))
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1))
  return folder
}
