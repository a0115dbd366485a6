/** The problems that `verify` can find. */

interface Class {
  /** The failure class, which decides the exit code. */
  readonly verdict: "corrupt" | "incomplete"
  readonly remedy: string
}

const again = "copy it from the bucket again"
const restore = `${again}; if it stays, restore an older version of the object, or send the file again with --force while the host still has it`
const wait = "wait for the next run on the host, and copy the directory again"

/** The kinds of findings. The first kind in this order that is found decides the last line. */
export const kinds = {
  differs: { verdict: "corrupt", remedy: restore },
  shorter: { verdict: "corrupt", remedy: restore },
  damaged: { verdict: "corrupt", remedy: restore },
  torn: { verdict: "corrupt", remedy: again },
  "bad-manifest": { verdict: "corrupt", remedy: `${again}, or read it with a newer version of ibsr-export` },
  missing: {
    verdict: "incomplete",
    remedy: `${again}; if the bucket has lost it, send the file again with --force while the host still has it`
  },
  lost: { verdict: "incomplete", remedy: "the lines exist nowhere; on the host, run ibsr-export s3 more often" },
  hole: { verdict: "incomplete", remedy: "a report over this time shows a burst that was none: leave the time out" },
  "stayed-live": {
    verdict: "incomplete",
    remedy: "its end may be missing: look at ibsr-export status on the host, and copy the directory again"
  },
  "end-not-seen": {
    verdict: "incomplete",
    remedy: "nothing shows that a line is missing; on the host, run ibsr-export s3 more often"
  },
  pending: { verdict: "incomplete", remedy: wait },
  "not-listed": { verdict: "incomplete", remedy: `${wait}; if it stays, find out who wrote it` },
  longer: { verdict: "incomplete", remedy: wait },
  changed: { verdict: "incomplete", remedy: wait },
  "no-digest": {
    verdict: "incomplete",
    remedy: "it was stored without --manifest: send the file again with --force while the host still has it"
  },
  "no-manifest": {
    verdict: "incomplete",
    remedy: "upload with --manifest; --without-manifest looks only for holes, torn lines and damaged compression"
  }
} as const satisfies Readonly<Record<string, Class>>

export type Kind = keyof typeof kinds

/** The order in which the kinds decide. */
export const order = Object.keys(kinds) as ReadonlyArray<Kind>

export interface Finding {
  readonly kind: Kind
  /** Relative to the root that is verified. A directory ends in `/`. */
  readonly file: string
  readonly detail: string
}

/** What a manifest says about an object. */
export interface Entry {
  readonly state: "final" | "live"
  readonly appendOnly: boolean
  readonly bytes: number
  readonly sha256: string | null
}

/** The facts that were read from an object. */
export interface Observed {
  readonly contentBytes: number
  /** SHA-256 of the object's first bytes, as many as the manifest's entry has. */
  readonly sha256: string
}

/**
 * | the content                               | append-only or final | result        |
 * | ----------------------------------------- | -------------------- | ------------- |
 * | is as long, and has the digest            |                      | proven        |
 * | is as long, and the digest is not known   |                      | `no-digest`   |
 * | is longer, begins so, and is live         | append-only          | proven, as far as the manifest says |
 * | is longer, begins so, and is final        | append-only          | `longer`      |
 * | is longer, or begins otherwise            | neither              | `changed`     |
 * | is shorter                                | yes                  | `shorter`     |
 * | anything else                             | yes                  | `differs`     |
 */
export const judge = (
  entry: Entry,
  { contentBytes, sha256 }: Observed
): Pick<Finding, "kind" | "detail"> | undefined => {
  const begins = entry.sha256 === null || (contentBytes >= entry.bytes && sha256 === entry.sha256)
  if (begins && contentBytes === entry.bytes)
    return entry.sha256 === null ? { kind: "no-digest", detail: "its manifest has no digest of it" } : undefined
  if (!entry.appendOnly && entry.state === "live")
    return { kind: "changed", detail: "it has changed since its manifest was written" }
  if (contentBytes < entry.bytes)
    return { kind: "shorter", detail: `it has ${contentBytes} bytes, and its manifest says ${entry.bytes}` }
  if (begins && entry.appendOnly)
    return entry.state === "live" && entry.sha256 !== null
      ? undefined
      : { kind: "longer", detail: `it has ${contentBytes} bytes, of which its manifest describes ${entry.bytes}` }
  return { kind: "differs", detail: "its SHA-256 is not that of its manifest" }
}
