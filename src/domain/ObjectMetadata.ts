/** Metadata that the program writes with every object, in addition to `--metadata`. */
import type { State } from "./Snapshot.ts"

/** Who writes the objects. */
export interface Origin {
  readonly hostname: string
  /** The version of this program. */
  readonly version: string
}

/** The former program wrote `ibsr-hostname` and `ibsr-version`, too. */
export const of = (state: State, { hostname, version }: Origin) => ({
  "ibsr-state": state,
  "ibsr-hostname": headerText(hostname),
  "ibsr-version": version
})

/** The kernel allows any bytes in a host name, but a header takes only printable ASCII, and must not be empty. */
const headerText = (hostname: string) => hostname.replace(/[^\x21-\x7e]/gu, encodeURIComponent) || "unknown"

/** Names that `--metadata` must not use. */
export const reserved: ReadonlyArray<string> = Object.keys(of("final", { hostname: "", version: "" }))
