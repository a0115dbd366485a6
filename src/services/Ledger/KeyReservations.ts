/** The keys that one target's files were given, so that none has that of another. */
import type { DatabaseSync } from "node:sqlite"
import * as Compression from "../../domain/Compression.ts"
import * as Generation from "../../domain/Generation.ts"

type Ending = Compression.KeySuffix

/** Generations up to the highest, and endings. */
interface Given {
  readonly highest: number
  readonly endings: ReadonlyArray<Ending>
}

/** What can be asked without changing anything. */
export const reading = (db: DatabaseSync, target: number) => {
  const reserved = db.prepare("SELECT reserved, endings FROM files WHERE target = ? AND path = ?")

  /** Nothing to a path that was never seen. Its plain name counts as a file's own, whether there is such an object or not. */
  const given = (path: string): Given => {
    const row = reserved.get(target, path)
    const known = (row?.["endings"] ?? "") as string
    return {
      highest: (row?.["reserved"] ?? 0) as number,
      endings: Object.values(Compression.keySuffixes).filter((ending) => known.includes(ending))
    }
  }
  const has = ({ endings, highest }: Given, generation: number, ending: Ending) =>
    generation <= highest && endings.includes(ending)
  const isOthers = (own: string, name: string) =>
    Compression.claims(name).some(
      ({ ending, generation, path }) => path !== own && has(given(path), generation, ending)
    )

  return {
    given,
    /** Whether no other file has the key that this one has by its own name. */
    isOwn: (path: string): boolean => !isOthers(path, path),
    /** The first generation from `least` on whose key no other file has. */
    firstFree: (path: string, least: number, ending: Ending, own = given(path)): number => {
      if (ending !== "" && has(own, least, ending)) return least
      // nor with an ending that it has had, and may have again
      const endings = [...new Set([...own.endings, ending])]
      let generation = least
      while (endings.some((each) => isOthers(path, Generation.named(path, generation) + each))) generation++
      return generation
    }
  }
}

export const writing = (db: DatabaseSync, target: number, { firstFree, given }: ReturnType<typeof reading>) => {
  const reserve = db.prepare("UPDATE files SET reserved = ?, endings = ? WHERE target = ? AND path = ?")
  return {
    reserve: (path: string, least: number, ending: Ending): number => {
      const own = given(path)
      const generation = firstFree(path, least, ending, own)
      if (generation > own.highest || !own.endings.includes(ending)) {
        const endings = new Set([...own.endings, ending])
        reserve.run(Math.max(generation, own.highest), [...endings].join(""), target, path)
      }
      return generation
    }
  }
}
