/** The row that shows whether a ledger is a copy, or its host a clone. */
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
    // where the time of creation is not known, Node gives the time of the last change
    bornNs: birthtimeNs === ctimeNs ? 0n : birthtimeNs
  }
}

/** Some file systems store whole seconds, FAT only even ones. */
const toleranceOf = (lastLocked: number) => (lastLocked % 1000 === 0 ? 2000 : 1)

/**
 * Compares the ledger with where it was last written, and records where it is now. After a doubt, no file keeps its key
 * for new content, and no multipart upload is resumed: another host may be using it. `lastLocked`: the start of the run
 * that locked the ledger last, in milliseconds since 1970; undefined if that is not known.
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
