/** Files that are there as a whole or not at all, whoever reads them, and whenever this program is killed. */
import { randomUUID } from "node:crypto"
import { promises as fs } from "node:fs"

/** Replaces what is at `path`, which is no link. `mode` is what it gets, whatever the umask. */
export const write = async (path: string, text: string, mode: number): Promise<void> => {
  // in the same directory, and with a name that no collector looks at, and nobody can guess
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    await fs.writeFile(temporary, text, { flag: "wx" })
    await fs.chmod(temporary, mode)
    await fs.rename(temporary, path)
  } catch (cause) {
    await fs.rm(temporary, { force: true }).catch(() => {})
    throw cause
  }
}
