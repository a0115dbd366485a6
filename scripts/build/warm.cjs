// warm.cjs PROGRAM OUT ARGS…: runs the program once, under the Node that it will be part of, and writes the compiled code
// of the functions that ran.
"use strict"
const { readFileSync, writeFileSync } = require("node:fs")
const { setFlagsFromString } = require("node:v8")
const { Script } = require("node:vm")

const [program, out, ...args] = process.argv.slice(2)

// V8 optimises a function, or drops the code of an unused one, at unpredictable times. Both leave traces in the
// compiled code, so V8 must do neither. It must not collect garbage either, because code in reused memory has old bytes
// in its gaps; the command line gives it enough memory.
const nondeterministic = ["flush-bytecode", "sparkplug", "maglev", "opt"]
// V8 only accepts code that was compiled under the flags that the binary has.
for (const name of nondeterministic) setFlagsFromString(`--no-${name}`)

// The program must not behave differently on a slow machine: no time passes, and no time limit expires.
const now = Date.now()
Date.now = () => now
performance.now = () => 0
const { setTimeout } = globalThis
globalThis.setTimeout = (callback, millis = 0, ...rest) => setTimeout(callback, millis < 50 ? millis : 2 ** 30, ...rest)

const script = new Script(readFileSync(program, "latin1"), { filename: "ibsr-export.cjs" })
process.argv = [process.execPath, process.execPath, ...args]
process.on("exit", () => {
  for (const name of nondeterministic) setFlagsFromString(`--${name}`)
  setFlagsFromString("--initial-old-space-size=0")
  writeFileSync(out, script.createCachedData())
})
script.runInThisContext()(module.exports, require, module, process.execPath, "/")
