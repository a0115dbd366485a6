/** Offsets in the header of a 64-bit ELF file and in its segment table. Source: elf(5), Elf64_Ehdr and Elf64_Phdr. */
const header = {
  magic: 0x00,
  bits: 0x04,
  order: 0x05,
  segments: 0x20,
  sections: 0x28,
  segmentSize: 0x36,
  segmentCount: 0x38
}
const sectionCounts = { entrySize: 0x3a, count: 0x3c, names: 0x3e }
const segment = { offset: 0x08, fileSize: 0x20 }

/**
 * Removes what the kernel never loads: symbols, debug information, and the section table, which only linkers and debuggers
 * read. Unlike strip(1), it also works for files of another architecture.
 */
export const strip = (file: Buffer): Buffer => {
  if (file.readUInt32BE(header.magic) !== 0x7f454c46 || file[header.bits] !== 2 || file[header.order] !== 1) {
    throw new Error("not a 64-bit little-endian ELF file")
  }
  const first = Number(file.readBigUInt64LE(header.segments))
  const size = file.readUInt16LE(header.segmentSize)
  const ends = Array.from({ length: file.readUInt16LE(header.segmentCount) }, (_, at) => {
    const entry = first + at * size
    return Number(file.readBigUInt64LE(entry + segment.offset) + file.readBigUInt64LE(entry + segment.fileSize))
  })
  const loaded = Buffer.from(file.subarray(0, Math.max(...ends)))
  loaded.writeBigUInt64LE(0n, header.sections)
  for (const at of Object.values(sectionCounts)) loaded.writeUInt16LE(0, at)
  return loaded
}
