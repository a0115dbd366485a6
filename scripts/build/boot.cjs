// What the binary starts with. The program and its compiled code lie at the end of the file, and not where Node has a
// place for such things, because there they would stay in memory, mapped, when they have long been read.
"use strict"
const { argv } = process
// the console takes no harm from a disk that is full
if (argv.length === 3 && argv[2] === "--version") console.log("@VERSION@")
else {
  const { closeSync, fstatSync, openSync, readSync } = require("node:fs")
  const { Script } = require("node:vm")
  // not by its path, under which an upgrade may have put another by now
  const file = openSync("/proc/self/exe")
  let end = fstatSync(file).size
  /** The last bytes that were not read yet. */
  const last = (length) => {
    const bytes = Buffer.allocUnsafeSlow(length)
    if (readSync(file, bytes, 0, length, (end -= length)) < length) throw new Error("the program's file is cut off")
    return bytes
  }
  const lengths = last(8)
  const cachedData = last(lengths.readUInt32LE(4))
  const program = last(lengths.readUInt32LE(0)).latin1Slice()
  closeSync(file)
  const script = new Script(program, { filename: "ibsr-export.cjs", ...(cachedData.length > 0 ? { cachedData } : {}) })
  script.runInThisContext()(module.exports, require, module, process.execPath, "/")
}
