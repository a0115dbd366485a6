/** What this program is. */
import packageJson from "../../package.json" with { type: "json" }

/** Of the sources; put in by the build. */
declare const IBSR_EXPORT_COMMIT: string | undefined

export const { version } = packageJson

/** What a build is made of. */
export interface Build {
  readonly commit: string
  /** Version of Node. */
  readonly node: string
  /** As Node names it: `linux`, `x64`. */
  readonly platform: string
  readonly arch: string
}

/** What `--version` prints. */
export const line = ({ arch, commit, node, platform }: Build): string =>
  `ibsr-export ${version} (commit ${commit}, Node ${node} ${platform}-${arch})`

export const commit = typeof IBSR_EXPORT_COMMIT === "string" ? IBSR_EXPORT_COMMIT : "unknown"
