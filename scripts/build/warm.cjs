// warm.cjs PROGRAM OUT ARGS…: runs the program once, by the Node it will be part of, and keeps the compiled code of
// what it ran.
"use strict"
const { readFileSync, writeFileSync } = require("node:fs")
const { setFlagsFromString } = require("node:v8")
const { Script } = require("node:vm")

const [program, out, ...args] = process.argv.slice(2)

// When V8 optimises a function, and when it drops the code of one that has not run for a while, is chance; what it has
// done leaves marks in what is kept. So it does neither. Nor does it collect garbage, with memory enough from the
// command line, because new code in old memory has the old bytes in its gaps.
const chance = ["flush-bytecode", "sparkplug", "maglev", "opt"]
// It takes code back only under the flags it was made with, which are the binary's.
for (const name of chance) setFlagsFromString(`--no-${name}`)

// What the program does must not hang on how fast the machine is: no time passes, and no time is over.
const now = Date.now()
Date.now = () => now
performance.now = () => 0
const { setTimeout } = globalThis
globalThis.setTimeout = (callback, millis = 0, ...rest) => setTimeout(callback, millis < 50 ? millis : 2 ** 30, ...rest)

const script = new Script(readFileSync(program, "latin1"), { filename: "ibsr-export.cjs" })
process.argv = [process.execPath, process.execPath, ...args]
process.on("exit", () => {
  for (const name of chance) setFlagsFromString(`--${name}`)
  setFlagsFromString("--initial-old-space-size=0")
  writeFileSync(out, script.createCachedData())
})
script.runInThisContext()(module.exports, require, module, process.execPath, "/")
