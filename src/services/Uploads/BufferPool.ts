/** Reuses the buffers of parts, because allocating and freeing memory takes time in the kernel. */

export interface BufferPool {
  /** A buffer of exactly this size. Its content is undefined. */
  readonly take: (sizeBytes: number) => Buffer
  /**
   * Takes back a buffer that nothing reads any more. It is not an error to release no buffer: the garbage collector
   * frees it.
   */
  readonly release: (buffer: Buffer) => void
  /** Call it before using buffers. Released buffers are kept until each `open` has been followed by a `close`. */
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
