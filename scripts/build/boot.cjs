// The binary's entry point. The program and its compiled code are at the end of the file instead of in Node's own
// section for assets, because that section would stay mapped in memory after it has been read.
"use strict"
const { argv, env } = process
// console.log ignores write errors, such as a full disk
if (argv.length === 3 && argv[2] === "--version") console.log("@VERSION@")
else {
  const { IBSR_EXTRA_CA_CERTS: extra } = env
  if (extra !== undefined) {
    delete env.IBSR_EXTRA_CA_CERTS
    env.NODE_EXTRA_CA_CERTS = extra
  }
  const { closeSync, existsSync, fstatSync, openSync, readSync } = require("node:fs")
  const { Script } = require("node:vm")
  // /proc/self/exe, because an upgrade may already have replaced the file at the path; without /proc, Node only knows
  // the name by which the program was started
  const name = process.execPath
  const paths = name.includes("/") ? [name] : (env.PATH ?? "").split(":").map((folder) => `${folder}/${name}`)
  const path = ["/proc/self/exe", ...paths].find(existsSync)
  if (path === undefined) {
    console.error("ibsr-export: without /proc, it cannot find its own file. Mount /proc, or start it by its full path.")
    process.exit(61)
  }
  const file = openSync(path)
  let end = fstatSync(file).size
  /** Reads the file backwards: returns the last `length` bytes that were not read yet. */
  const last = (length) => {
    const bytes = Buffer.allocUnsafeSlow(length)
    if (readSync(file, bytes, 0, length, (end -= length)) < length) throw new Error("the program's file is truncated")
    return bytes
  }
  const lengths = last(8)
  const cachedData = last(lengths.readUInt32LE(4))
  const program = last(lengths.readUInt32LE(0)).latin1Slice()
  closeSync(file)
  const script = new Script(program, { filename: "ibsr-export.cjs", ...(cachedData.length > 0 ? { cachedData } : {}) })
  script.runInThisContext()(module.exports, require, module, process.execPath, "/")
}
