/** Offsets in the header of a 64-bit ELF file and in its segment table. Source: elf(5), Elf64_Ehdr and Elf64_Phdr. */
const header = {
  magic: 0x00,
  bits: 0x04,
  order: 0x05,
  entry: 0x18,
  segments: 0x20,
  sections: 0x28,
  segmentSize: 0x36,
  segmentCount: 0x38
}
const sectionCounts = { entrySize: 0x3a, count: 0x3c, names: 0x3e }
const segment = { type: 0x00, flags: 0x04, offset: 0x08, address: 0x10, fileSize: 0x20, memorySize: 0x28 }
const [loaded, executable] = [1, 1]
const pageBytes = 4096

const u64 = (file: Buffer, at: number) => Number(file.readBigUInt64LE(at))

/** Where the entries of the segment table begin. */
const segments = (file: Buffer): ReadonlyArray<number> => {
  if (file.readUInt32BE(header.magic) !== 0x7f454c46 || file[header.bits] !== 2 || file[header.order] !== 1) {
    throw new Error("not a 64-bit little-endian ELF file")
  }
  const size = file.readUInt16LE(header.segmentSize)
  return Array.from(
    { length: file.readUInt16LE(header.segmentCount) },
    (_, at) => u64(file, header.segments) + at * size
  )
}

/**
 * Removes what the kernel never loads: symbols, debug information, and the section table, which only linkers and debuggers
 * read. Unlike strip(1), it also works for files of another architecture.
 */
export const strip = (file: Buffer): Buffer => {
  const ends = segments(file).map((at) => u64(file, at + segment.offset) + u64(file, at + segment.fileSize))
  const stripped = Buffer.from(file.subarray(0, Math.max(...ends)))
  stripped.writeBigUInt64LE(0n, header.sections)
  for (const at of Object.values(sectionCounts)) stripped.writeUInt16LE(0, at)
  return stripped
}

/**
 * Makes `code` the first code to run. It is followed by a jump to the previous entry point, which `jump` makes from a
 * distance in bytes. Code and jump go into the unused rest of the last page of an executable segment, which the kernel
 * loads anyway.
 */
export const startThrough = (file: Buffer, code: Buffer, jump: (distance: number) => Buffer): Buffer => {
  const entry = u64(file, header.entry)
  for (const at of segments(file)) {
    if (file.readUInt32LE(at + segment.type) !== loaded || !(file.readUInt32LE(at + segment.flags) & executable))
      continue
    const [offset, size] = [u64(file, at + segment.offset), u64(file, at + segment.fileSize)]
    const skipped = -(offset + size) & 15
    const address = u64(file, at + segment.address) + size + skipped
    const added = Buffer.concat([Buffer.alloc(skipped), code, jump(entry - address - code.length)])
    const unused = file.subarray(offset + size, offset + size + (-(offset + size) & (pageBytes - 1)))
    if (added.length > unused.length || unused.some((byte) => byte !== 0)) continue
    const changed = Buffer.from(file)
    added.copy(changed, offset + size)
    for (const field of [segment.fileSize, segment.memorySize])
      changed.writeBigUInt64LE(BigInt(size + added.length), at + field)
    changed.writeBigUInt64LE(BigInt(address), header.entry)
    return changed
  }
  throw new Error("no executable segment has room for the entry code")
}
