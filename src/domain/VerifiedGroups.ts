/** Groups the objects that belong together: those of a run directory, or those that one manifest describes. */
import { manifestName } from "./ManifestDirectory.ts"
import * as RunDirectory from "./RunDirectory.ts"

/**
 * Returns the directory whose group an object belongs to: the innermost one that has a manifest or is a run directory,
 * or else its parent directory. It ends in `/`; the root is the empty string.
 */
export const directoryOf = (name: string, withManifest: ReadonlySet<string>): string => {
  const parts = name.split("/").slice(0, -1)
  for (let count = parts.length; count > 0; count--) {
    const directory = parts.slice(0, count).join("/") + "/"
    if (withManifest.has(directory) || RunDirectory.parse(parts[count - 1]!) !== undefined) return directory
  }
  return withManifest.has("") || parts.length === 0 ? "" : `${parts.join("/")}/`
}

/** The directories that have a manifest. */
export const withManifest = (names: Iterable<string>): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const name of names)
    if (name === manifestName || name.endsWith(`/${manifestName}`)) found.add(name.slice(0, -manifestName.length))
  return found
}
