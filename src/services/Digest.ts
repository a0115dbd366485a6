/** Takes the digest of a content as it passes, and sees on the way whether it begins with a former one. */
import { createHash } from "node:crypto"
import { type Content, headBytes } from "../domain/Content.ts"
import { SourceUnreadable } from "../domain/Errors.ts"

const replaced = "REPLACED"
/** The content does not begin with what it should. */
export const isReplaced = (error: { readonly _tag: string; readonly code?: unknown }): error is SourceUnreadable =>
  error._tag === "SourceUnreadable" && error.code === replaced

export interface Digest {
  /** Throws what `isReplaced` knows. */
  readonly update: (bytes: Uint8Array) => void
  /** Of all that was seen. Throws what `isReplaced` knows, too. */
  readonly content: () => Content
}

export const replacedFailure = (path: string, former: Content): SourceUnreadable =>
  new SourceUnreadable({
    path,
    detail: `its first ${former.sizeBytes} bytes are not those that were stored before`,
    code: replaced,
    advice: "something truncated or recreated it (logrotate's copytruncate?); --on-replace says what to do then"
  })

/** `former`: what the content has to begin with. `path` is for the error. */
export const make = (path: string, former: Content | undefined): Digest => {
  const whole = createHash("sha256")
  const head = createHash("sha256")
  let sizeBytes = 0
  return {
    update: (bytes) => {
      if (sizeBytes < headBytes) head.update(bytes.subarray(0, headBytes - sizeBytes))
      const left = former === undefined ? 0 : former.sizeBytes - sizeBytes
      if (former !== undefined && left > 0 && left <= bytes.length) {
        whole.update(bytes.subarray(0, left))
        if (whole.copy().digest("hex") !== former.digest) throw replacedFailure(path, former)
        whole.update(bytes.subarray(left))
      } else whole.update(bytes)
      sizeBytes += bytes.length
    },
    content: () => {
      if (former !== undefined && sizeBytes < former.sizeBytes) throw replacedFailure(path, former)
      return { sizeBytes, digest: whole.digest("hex"), head: head.digest("hex") }
    }
  }
}

/** Hands on what passes, and its content when all has. */
export async function* through(
  pieces: AsyncIterable<Uint8Array>,
  digest: Digest,
  done: (content: Content) => void
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    digest.update(piece)
    yield piece
  }
  done(digest.content())
}
