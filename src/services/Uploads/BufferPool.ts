/** Reuses the buffers of parts: the kernel has to clear new memory, and to take it back. */

export interface BufferPool {
  /** A buffer of exactly this size; its content is undefined. */
  readonly take: (sizeBytes: number) => Buffer
  /** Returns a buffer that nothing reads any more. One that is not released is left to the garbage collector. */
  readonly release: (buffer: Buffer) => void
  /** Keeps released buffers until the matching `close`. The last `close` frees them. */
  readonly open: () => void
  readonly close: () => void
}

export const make = (): BufferPool => {
  let idle: Array<Buffer> = []
  let users = 0
  return {
    take: (sizeBytes) => {
      const buffer = idle.pop()
      return buffer?.length === sizeBytes ? buffer : Buffer.allocUnsafeSlow(sizeBytes)
    },
    release: (buffer) => {
      if (users > 0) idle.push(buffer)
    },
    open: () => void users++,
    close: () => {
      if (--users === 0) idle = []
    }
  }
}
