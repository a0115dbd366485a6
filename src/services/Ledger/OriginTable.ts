/** The row that shows whether a ledger is a copy or its host is a clone. */
import { hash } from "node:crypto"
import { statSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import * as LedgerOrigin from "../../domain/LedgerOrigin.ts"

/** `machineId`: undefined if the host has none. The ledger keeps a digest, because machine-id(5) asks not to expose the id. */
export const seenAt = (path: string, machineId: string | undefined): LedgerOrigin.Origin => {
  const { birthtimeNs, ctimeNs, ino } = statSync(path, { bigint: true })
  return {
    machine: machineId === undefined ? "" : hash("sha256", `ibsr-export ledger ${machineId}`),
    inode: BigInt.asIntN(64, ino),
    // if the file system does not record the creation time, Node returns the time of the last change
    bornNs: birthtimeNs === ctimeNs ? 0n : birthtimeNs
  }
}

/** In milliseconds. Some file systems store only whole seconds, and FAT only even ones. */
const toleranceOf = (lastLocked: number) => (lastLocked % 1000 === 0 ? 2000 : 1)

/**
 * Compares where the ledger is now with where it was last written, and records where it is now. If there is a doubt,
 * every file gets a new key for new content, and no multipart upload is resumed, because another host may be using
 * them. `lastLocked`: the start of the last run that locked the ledger, in milliseconds since 1970; undefined if
 * unknown.
 */
export const check = (
  db: DatabaseSync,
  seen: LedgerOrigin.Origin,
  lastLocked: number | undefined,
  nowMillis: number
): void => {
  const select = db.prepare("SELECT machine, inode, born_ns AS bornNs FROM origin")
  select.setReadBigInts(true)
  const recorded = select.get() as unknown as LedgerOrigin.Origin | undefined
  const knowsLastRun =
    lastLocked === undefined ||
    db
      .prepare("SELECT 1 FROM runs WHERE started_at BETWEEN ? AND ? LIMIT 1")
      .get(lastLocked - toleranceOf(lastLocked), lastLocked + toleranceOf(lastLocked)) !== undefined
  const doubt = recorded && LedgerOrigin.doubtOf(recorded, seen, knowsLastRun)
  if (doubt !== undefined) {
    db.prepare("UPDATE targets SET doubt = iif(doubt = 'machine', doubt, ?), first_generation = ?").run(
      doubt,
      LedgerOrigin.firstGeneration(nowMillis, Math.random())
    )
    db.exec("UPDATE files SET doubtful = 1; DELETE FROM uploads; DELETE FROM parts")
  }
  if (recorded !== undefined && isEqual(recorded, seen)) return
  db.exec("DELETE FROM origin")
  db.prepare("INSERT INTO origin (machine, inode, born_ns) VALUES (?, ?, ?)").run(
    seen.machine || (recorded?.machine ?? ""),
    seen.inode,
    seen.bornNs
  )
}

const isEqual = (a: LedgerOrigin.Origin, b: LedgerOrigin.Origin) =>
  a.machine === b.machine && a.inode === b.inode && a.bornNs === b.bornNs
