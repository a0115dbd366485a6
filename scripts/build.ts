// build.ts [ARCH]: makes dist/ibsr-export.cjs, and of it dist/ibsr-export-<arch>, without ARCH the one for this machine.
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import process from "node:process"
import { binary } from "./build/binary.ts"
import { bundle } from "./build/bundle.ts"
import { checksums } from "./build/checksums.ts"
import * as Product from "./build/Product.ts"
import { sbom } from "./build/sbom.ts"

/** Of the sources; a build of changed ones must not pass for that of a commit. Without git, what the caller says. */
const commit = () => {
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
  console.error(`unknown architecture '${architecture}'; there are ${Object.keys(Product.architectures).join(", ")}`)
  process.exit(2)
}
const of = commit()
const packages = await bundle(of)
console.log(Product.bundle)
if (architecture !== undefined) {
  const made = Product.binary(architecture)
  await binary(architecture, of, made)
  writeFileSync(`${made}.cdx.json`, sbom(made, packages))
  checksums()
  console.log(made)
}
