// build.ts [ARCH]: builds dist/ibsr-export.cjs, and from it dist/ibsr-export-<arch>. Default: this machine's architecture.
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import process from "node:process"
import { binary } from "./build/binary.ts"
import { bundle } from "./build/bundle.ts"
import { checksums } from "./build/checksums.ts"
import * as Product from "./build/Product.ts"
import { sbom } from "./build/sbom.ts"

/** The commit of the sources, marked if they have changes. Without git, the one in IBSR_EXPORT_COMMIT. */
const sourceCommit = () => {
  try {
    const git = (...args: ReadonlyArray<string>) =>
      execFileSync("git", args, { encoding: "utf8", stdio: "pipe" }).trim()
    return git("rev-parse", "HEAD").slice(0, 12) + (git("status", "--porcelain") === "" ? "" : "+changes")
  } catch {
    return process.env["IBSR_EXPORT_COMMIT"] ?? "unknown"
  }
}

const architecture = process.argv[2] ?? Product.host()
if (architecture !== undefined && !Product.isArchitecture(architecture)) {
  console.error(
    `unknown architecture '${architecture}'; choose one of ${Object.keys(Product.architectures).join(", ")}`
  )
  process.exit(2)
}
const commit = sourceCommit()
const packages = await bundle(commit)
console.log(Product.bundle)
if (architecture !== undefined) {
  const output = Product.binary(architecture)
  await binary(architecture, commit, output)
  writeFileSync(`${output}.cdx.json`, sbom(output, packages))
  checksums()
  console.log(output)
}
