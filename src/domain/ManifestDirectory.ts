/** Which manifest describes a file. */
import * as RunDirectory from "./RunDirectory.ts"
import type { Settings } from "./Settings.ts"

/** Name of a manifest in its directory. It does not end in `.jsonl`, so `ibsr-report` does not read it. */
export const manifestName = "upload-manifest.json"

/** Whether a run makes manifests. It must then gather facts about the content of each file that it sends. */
export const isWanted = ({ manifest, manifestFile }: Pick<Settings, "manifest" | "manifestFile">): boolean =>
  manifest || manifestFile !== undefined

/**
 * The directory whose manifest describes a file. Both are relative to the input; a directory ends in `/`.
 *
 * | path of the file                 | directory               |
 * | -------------------------------- | ----------------------- |
 * | `ibsr-20261122-141500Z/a.jsonl`  | `ibsr-20261122-141500Z/` |
 * | `x/ibsr-20261122-141500Z/a`      | `x/ibsr-20261122-141500Z/`: the innermost run directory |
 * | `x/y/a`                          | `x/`: the top directory |
 * | `a`                              | the input itself: empty |
 */
export const of = (path: string): string => {
  const names = path.split("/").slice(0, -1)
  const run = names.findLastIndex((name) => RunDirectory.parse(name) !== undefined)
  const directory = names.slice(0, run === -1 ? 1 : run + 1)
  return directory.map((name) => `${name}/`).join("")
}

/** Whether a file with this path would get the key of a manifest. */
export const isManifest = (path: string): boolean =>
  path.slice(path.lastIndexOf("/") + 1) === manifestName && of(path) + manifestName === path
