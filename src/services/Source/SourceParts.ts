/** An open file, read part by part into buffers that somebody else has. */
import { Effect } from "effect"
import type { SourceUnreadable } from "../../domain/Errors.ts"
import { checkUndisturbed, truncated, unreadable, type View } from "./OpenFile.ts"

export interface SourceParts {
  /** Fills the buffer with the bytes from `at` on; a file that has fewer was truncated. */
  readonly fill: (buffer: Uint8Array, at: number) => Effect.Effect<void, SourceUnreadable>
  /** When all was read: fails if it was truncated meanwhile. `head`: its first bytes as they were read; `last`: its last. */
  readonly undisturbed: (head: Uint8Array, last: number | undefined) => Effect.Effect<void, SourceUnreadable>
}

export const of = (view: View): SourceParts => {
  const { handle, path } = view
  const reading = <A>(read: () => Promise<A>) => Effect.tryPromise({ try: read, catch: unreadable(path) })
  return {
    fill: (buffer, at) =>
      reading(async () => {
        let filled = 0
        while (filled < buffer.length) {
          const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, at + filled)
          if (bytesRead === 0) throw truncated(path)
          filled += bytesRead
        }
      }),
    undisturbed: (head, last) => reading(() => checkUndisturbed(view, head, last))
  }
}
