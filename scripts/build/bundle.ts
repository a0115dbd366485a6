/** The program and all its packages in one file, for Node 24.5 or newer. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { type OutputChunk, rolldown } from "rolldown"
import { lazyBuiltins } from "./lazyBuiltins.ts"
import * as Product from "./Product.ts"

/** Generates the bundle without writing it. The profiler asks for a source map, to attribute time to source files. */
export const generateBundle = async (commit: string, sourcemap = false): Promise<OutputChunk> => {
  const build = await rolldown({
    input: "src/main.ts",
    platform: "node",
    // prefers the packages' ES modules, which can be tree-shaken
    resolve: { mainFields: ["module", "main"] },
    transform: { define: { IBSR_EXPORT_COMMIT: JSON.stringify(commit) } },
    plugins: [lazyBuiltins]
  })
  const { output } = await build.generate({
    // V8 can cache compiled code of scripts, but not of ES modules
    format: "cjs",
    codeSplitting: false,
    sourcemap,
    comments: false,
    // keeps names and lines readable in stack traces
    minify: { compress: true, mangle: false, codegen: false }
  })
  const [chunk] = output
  const external = chunk.imports.filter((name) => !name.startsWith("node:"))
  const chunks = output.filter(({ type }) => type === "chunk")
  if (chunks.length > 1 || external.length > 0) throw new Error(`not in the bundle: ${external.join(", ")}`)
  return chunk
}

/** Writes the bundle, and returns the names of the packages in it. */
export const bundle = async (commit: string): Promise<ReadonlySet<string>> => {
  const { code, moduleIds } = await generateBundle(commit)
  // pure ASCII: with a single wider character, V8 stores two bytes for every character
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
