/**
 * Decides whether a ledger is the one that this host last wrote. A ledger on a cloned host, a copied one, or one from a
 * backup may not know about later uploads.
 */

/** Where a ledger was last written. */
export interface Origin {
  /** Digest of the host's machine id; empty if the host has none. */
  readonly machine: string
  readonly inode: bigint
  /** When the file was created, in nanoseconds since 1970; 0 if the file system does not record that. */
  readonly bornNs: bigint
}

/** `machine`: another host wrote the ledger. `copy`: the ledger was copied, or replaced by an older one. */
export type Doubt = "machine" | "copy"

/**
 * | machine id                   | file                        | knows the run that locked it last | doubt     |
 * | ---------------------------- | --------------------------- | --------------------------------- | --------- |
 * | differs                      |                             |                                   | `machine` |
 * | equal, or one is not known   | created at another time     |                                   | `copy`    |
 * | equal, or one is not known   | time not known, other inode |                                   | `copy`    |
 * | equal, or one is not known   | the same                    | no                                | `copy`    |
 * | equal, or one is not known   | the same                    | yes                               | none      |
 *
 * A restored file can have the inode of the file that it replaces, but not its time of creation.
 */
export const doubtOf = (recorded: Origin, seen: Origin, knowsLastRun: boolean): Doubt | undefined => {
  if (recorded.machine !== "" && seen.machine !== "" && recorded.machine !== seen.machine) return "machine"
  const isSameFile =
    recorded.bornNs !== 0n && seen.bornNs !== 0n ? recorded.bornNs === seen.bornNs : recorded.inode === seen.inode
  return isSameFile && knowsLastRun ? undefined : "copy"
}

/**
 * Returns a generation whose keys no other ledger uses: the day (YYMMDD in UTC), then nine random digits. Later
 * generations have greater numbers. `random` is from 0 to 1.
 */
export const firstGeneration = (nowMillis: number, random: number): number =>
  Number(new Date(nowMillis).toISOString().slice(2, 10).replaceAll("-", "")) * 1e9 + Math.floor(random * 1e9)
