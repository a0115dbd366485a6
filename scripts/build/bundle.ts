/** The program and all it needs in one file, which any Node from 24.5 on can run. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { type OutputChunk, rolldown } from "rolldown"
import { lateBuiltins } from "./lateBuiltins.ts"
import * as Product from "./Product.ts"

/** What is handed out, before it is written; a source map, where it is only looked into, tells whose code is where. */
export const rolled = async (commit: string, sourcemap = false): Promise<OutputChunk> => {
  const bundling = await rolldown({
    input: "src/main.ts",
    platform: "node",
    // the packages' ES modules, of which only what is used is taken
    resolve: { mainFields: ["module", "main"] },
    transform: { define: { IBSR_EXPORT_COMMIT: JSON.stringify(commit) } },
    plugins: [lateBuiltins]
  })
  const { output } = await bundling.generate({
    // V8 keeps compiled code for scripts, not for ES modules
    format: "cjs",
    codeSplitting: false,
    sourcemap,
    comments: false,
    // names and lines stay readable in stack traces
    minify: { compress: true, mangle: false, codegen: false }
  })
  const [chunk] = output
  const foreign = chunk.imports.filter((name) => !name.startsWith("node:"))
  const chunks = output.filter(({ type }) => type === "chunk")
  if (chunks.length > 1 || foreign.length > 0) throw new Error(`left out of the bundle: ${foreign.join(", ")}`)
  return chunk
}

/** The packages that are in it. */
export const bundle = async (commit: string): Promise<ReadonlySet<string>> => {
  const { code, moduleIds } = await rolled(commit)
  // one byte for each character: with a single one that needs more, V8 takes two for all of them
  const ascii = code.replaceAll(
    /[^\0-\x7f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
  mkdirSync("dist", { recursive: true })
  writeFileSync(Product.bundle, ascii)
  chmodSync(Product.bundle, 0o755)
  const names = moduleIds.map((id) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1])
  return new Set(names.filter((name) => name !== undefined))
}
