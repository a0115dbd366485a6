/** The keys that one target's files have reserved. A key belongs to only one file, even if targets overlap. */
import type { DatabaseSync } from "node:sqlite"
import * as Compression from "../../domain/Compression.ts"
import * as Generation from "../../domain/Generation.ts"
import type { Overlapping, Target } from "./TargetsTable.ts"

type KeySuffix = Compression.KeySuffix

/** What one file has reserved: the keys of its generations up to `highest`, each with every one of these suffixes. */
interface Reserved {
  readonly highest: number
  readonly suffixes: ReadonlyArray<KeySuffix>
  /** Whether the file's other keys may hold content that the ledger does not know. */
  readonly isDoubtful: boolean
}

/** Read-only queries. */
export const reader = (
  db: DatabaseSync,
  { firstGeneration, id: target }: Target,
  others: ReadonlyArray<Overlapping>
) => {
  const select = db.prepare("SELECT reserved, endings, doubtful FROM files WHERE target = ? AND path = ?")

  /**
   * Returns the reservations of a path; none if the path has no row. A known file owns its uncompressed key, even if it
   * has only a compressed object.
   */
  const reservedBy = (path: string, owner = target): Reserved => {
    const row = select.get(owner, path)
    const known = (row?.["endings"] ?? "") as string
    return {
      highest: (row?.["reserved"] ?? 0) as number,
      suffixes: Object.values(Compression.keySuffixes).filter((suffix) => known.includes(suffix)),
      isDoubtful: row?.["doubtful"] === 1
    }
  }
  const includes = ({ highest, suffixes }: Reserved, generation: number, suffix: KeySuffix) =>
    generation <= highest && suffixes.includes(suffix)
  const belongsToAnother = (owner: string, name: string) =>
    Compression.possibleSources(name).some(
      ({ generation, path, suffix }) => path !== owner && includes(reservedBy(path), generation, suffix)
    ) || others.some(({ id, pathOf }) => isReservedBy(id, pathOf(name)))
  const isReservedBy = (other: number, name: string | undefined) =>
    name !== undefined &&
    Compression.possibleSources(name).some(({ generation, path, suffix }) =>
      includes(reservedBy(path, other), generation, suffix)
    )

  return {
    reservedBy,
    /** Whether the key of this path's first generation is free, or reserved only by this path. */
    isKeyFree: (path: string): boolean => !belongsToAnother(path, path),
    /** The first generation, from `least` on, whose key with this suffix belongs to no other file. */
    firstFree: (path: string, least: number, suffix: KeySuffix, own = reservedBy(path)): number => {
      if (suffix !== "" && !own.isDoubtful && includes(own, least, suffix)) return least
      // also checks the file's earlier suffixes, because the file may use them again
      const suffixes = [...new Set([...own.suffixes, suffix])]
      let generation = own.isDoubtful ? Math.max(least, firstGeneration) : least
      while (suffixes.some((each) => belongsToAnother(path, Generation.named(path, generation) + each))) generation++
      return generation
    }
  }
}

export const writer = (db: DatabaseSync, target: number, { firstFree, reservedBy }: ReturnType<typeof reader>) => {
  const update = db.prepare("UPDATE files SET reserved = ?, endings = ? WHERE target = ? AND path = ?")
  return {
    reserveGeneration: (path: string, least: number, suffix: KeySuffix): number => {
      const own = reservedBy(path)
      const generation = firstFree(path, least, suffix, own)
      if (generation > own.highest || !own.suffixes.includes(suffix)) {
        const suffixes = new Set([...own.suffixes, suffix])
        update.run(Math.max(generation, own.highest), [...suffixes].join(""), target, path)
      }
      return generation
    }
  }
}
