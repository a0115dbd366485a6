/** Metadata that the program writes with every object, in addition to `--metadata`. */
import type { State } from "./Snapshot.ts"

/** Who writes the objects. */
export interface Origin {
  readonly hostname: string
  /** Of this program. */
  readonly version: string
}

/** `ibsr-hostname` and `ibsr-version` are those of the former program. */
export const of = (state: State, { hostname, version }: Origin) => ({
  "ibsr-state": state,
  "ibsr-hostname": headerText(hostname),
  "ibsr-version": version
})

/** The kernel allows any bytes in a host name, a header only printable ASCII; an empty name would be no header. */
const headerText = (hostname: string) => hostname.replace(/[^\x21-\x7e]/gu, encodeURIComponent) || "unknown"

/** Names that `--metadata` must not use. */
export const reserved: ReadonlyArray<string> = Object.keys(of("final", { hostname: "", version: "" }))
