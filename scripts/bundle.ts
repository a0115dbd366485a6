// Makes dist/ibsr-export.js: the program and all it needs, so that it starts fast and runs without node_modules.
import { chmodSync, rmSync } from "node:fs"
import { rolldown } from "rolldown"

rmSync("dist", { recursive: true, force: true })
const bundle = await rolldown({
  input: "src/main.ts",
  platform: "node",
  // the packages' ES modules, of which only what is used is taken
  resolve: { mainFields: ["module", "main"] }
})
await bundle.write({
  dir: "dist",
  entryFileNames: "ibsr-export.js",
  chunkFileNames: "lib/[name].js",
  format: "esm",
  // names stay readable in stack traces; whitespace is what costs time to read
  minify: { mangle: false, compress: true, codegen: true }
})
chmodSync("dist/ibsr-export.js", 0o755)
