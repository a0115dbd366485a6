/** The version of the program and of its parts. */
import packageJson from "../../package.json" with { type: "json" }

/** The build inserts the commit. */
declare const IBSR_EXPORT_COMMIT: string | undefined

export const { version } = packageJson

/** The facts that identify a build. */
export interface Build {
  readonly commit: string
  /** The version of Node. */
  readonly node: string
  /** As Node names them: `linux`, `x64`. */
  readonly platform: string
  readonly arch: string
}

/** The output of `--version`. */
export const line = ({ arch, commit, node, platform }: Build): string =>
  `ibsr-export ${version} (commit ${commit}, Node ${node} ${platform}-${arch})`

export const commit = typeof IBSR_EXPORT_COMMIT === "string" ? IBSR_EXPORT_COMMIT : "unknown"
