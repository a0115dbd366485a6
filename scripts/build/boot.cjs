// What the binary starts with: the program is compiled code that only has to be read, and the version is known.
"use strict"
const { argv } = process
if (argv.length === 3 && argv[2] === "--version") process.stdout.write("@VERSION@\n")
else {
  const { getAsset, getAssetKeys, getRawAsset } = require("node:sea")
  const { Script } = require("node:vm")
  const compiled = getAssetKeys().includes("compiled") ? { cachedData: new Uint8Array(getRawAsset("compiled")) } : {}
  const script = new Script(getAsset("program", "latin1"), { filename: "ibsr-export.cjs", ...compiled })
  script.runInThisContext()(module.exports, require, module, process.execPath, "/")
}
