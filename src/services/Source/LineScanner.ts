/** Finds the lines of a stream. Keeps only the beginning of one line in memory. */
import * as LineHeader from "../../domain/LineHeader.ts"
import type { LineFacts } from "../../domain/ContentFacts.ts"
import { newline } from "./OpenFile.ts"

export interface LineScanner {
  readonly update: (bytes: Uint8Array) => void
  /** Whether the bytes so far end in an incomplete line. */
  readonly isTorn: () => boolean
}

/**
 * Calls `onLine` for each complete line with its first `LineHeader.searchedBytes` bytes, or with all of them if there are
 * fewer. They are valid only during the call.
 */
export const make = (onLine: (beginning: Uint8Array) => void): LineScanner => {
  /** The beginning of the line that the last piece left incomplete. */
  const kept = Buffer.alloc(LineHeader.searchedBytes)
  let keptBytes = 0
  let torn = false

  const keep = (bytes: Uint8Array) => {
    const more = bytes.subarray(0, kept.length - keptBytes)
    kept.set(more, keptBytes)
    keptBytes += more.length
  }
  return {
    update: (bytes) => {
      // a Buffer, because indexOf of a plain Uint8Array takes ten times as long
      const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      let from = 0
      for (let end = piece.indexOf(newline); end !== -1; end = piece.indexOf(newline, from)) {
        if (torn) {
          keep(piece.subarray(from, end))
          onLine(kept.subarray(0, keptBytes))
        } else onLine(piece.subarray(from, Math.min(end, from + kept.length)))
        torn = false
        keptBytes = 0
        from = end + 1
      }
      if (from === piece.length) return
      torn = true
      keep(piece.subarray(from))
    },
    isTorn: () => torn
  }
}

/** Gathers what a manifest says about the lines of a file. */
export const facts = (): { readonly update: (bytes: Uint8Array) => void; readonly facts: () => LineFacts } => {
  const last = Buffer.alloc(LineHeader.searchedBytes)
  let lastBytes = 0
  let count = 0
  let first: LineHeader.LineHeader | undefined
  const scanner = make((beginning) => {
    if (count++ === 0) first = headerOf(beginning)
    last.set(beginning)
    lastBytes = beginning.length
  })
  return {
    update: scanner.update,
    facts: () => {
      const latest = headerOf(last.subarray(0, lastBytes))
      return {
        count,
        firstTime: first?.time,
        lastTime: latest?.time,
        intervalSeconds: latest?.intervalSeconds,
        runId: latest?.runId
      }
    }
  }
}

export const headerOf = (beginning: Uint8Array): LineHeader.LineHeader | undefined =>
  LineHeader.parse(Buffer.from(beginning.buffer, beginning.byteOffset, beginning.byteLength).toString("latin1"))
