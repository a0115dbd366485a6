/** A queue of bytes. Appending copies each byte a bounded number of times, however few are appended at once. */

export interface GrowingBuffer {
  readonly length: () => number
  /** All bytes. Later calls do not change them. */
  readonly bytes: () => Buffer
  readonly append: (more: Buffer) => void
  /** Removes the first `count` bytes, and returns them. */
  readonly take: (count: number) => Buffer
}

export const make = (): GrowingBuffer => {
  let buffer: Buffer = Buffer.alloc(0)
  let start = 0
  let end = 0
  return {
    length: () => end - start,
    bytes: () => buffer.subarray(start, end),
    append: (more) => {
      if (start === end) {
        // most responses arrive at once
        ;[buffer, start, end] = [more, 0, more.length]
        return
      }
      if (end + more.length > buffer.length) {
        const larger = Buffer.allocUnsafe(2 * (end - start + more.length))
        end = buffer.copy(larger, 0, start, end)
        ;[buffer, start] = [larger, 0]
      }
      end += more.copy(buffer, end)
    },
    take: (count) => {
      const bytes = buffer.subarray(start, start + count)
      start += count
      return bytes
    }
  }
}
