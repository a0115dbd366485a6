/** Buffers for parts, used again and again: memory that is new has to be cleared by the kernel, and given back. */

export interface BufferPool {
  /** Of exactly this size; what is in it is of no account. */
  readonly take: (sizeBytes: number) => Buffer
  /** For the next who takes one: nobody may hold it any more. One that is not given back is the collector's. */
  readonly give: (buffer: Buffer) => void
  /** Somebody begins to take buffers, until the matching `close`; after the last, none are kept. */
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
    give: (buffer) => {
      if (users > 0) idle.push(buffer)
    },
    open: () => void users++,
    close: () => {
      if (--users === 0) idle = []
    }
  }
}
