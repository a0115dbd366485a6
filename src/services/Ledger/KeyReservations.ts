/** The keys that one target's files have reserved. No key belongs to two files. */
import type { DatabaseSync } from "node:sqlite"
import * as Compression from "../../domain/Compression.ts"
import * as Generation from "../../domain/Generation.ts"

type KeySuffix = Compression.KeySuffix

/** A file has reserved the keys of its generations up to `highest`, with each of these suffixes. */
interface Reserved {
  readonly highest: number
  readonly suffixes: ReadonlyArray<KeySuffix>
}

/** Read-only queries. */
export const reader = (db: DatabaseSync, target: number) => {
  const select = db.prepare("SELECT reserved, endings FROM files WHERE target = ? AND path = ?")

  /** A path without a row has no reservations. A known file owns its uncompressed key, even without such an object. */
  const reservedBy = (path: string): Reserved => {
    const row = select.get(target, path)
    const known = (row?.["endings"] ?? "") as string
    return {
      highest: (row?.["reserved"] ?? 0) as number,
      suffixes: Object.values(Compression.keySuffixes).filter((suffix) => known.includes(suffix))
    }
  }
  const includes = ({ highest, suffixes }: Reserved, generation: number, suffix: KeySuffix) =>
    generation <= highest && suffixes.includes(suffix)
  const belongsToAnother = (owner: string, name: string) =>
    Compression.possibleSources(name).some(
      ({ generation, path, suffix }) => path !== owner && includes(reservedBy(path), generation, suffix)
    )

  return {
    reservedBy,
    /** Whether no other file has reserved the key of this path's first generation. */
    isKeyFree: (path: string): boolean => !belongsToAnother(path, path),
    /** The first generation, from `least` on, whose key with this suffix belongs to no other file. */
    firstFree: (path: string, least: number, suffix: KeySuffix, own = reservedBy(path)): number => {
      if (suffix !== "" && includes(own, least, suffix)) return least
      // checks the file's earlier suffixes too, because the file may use them again
      const suffixes = [...new Set([...own.suffixes, suffix])]
      let generation = least
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
