/** The Node that becomes part of the binary, with the version and checksum in the lock file. */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Architecture, architectures } from "./Product.ts"

interface Lock {
  readonly lockfileVersion: number
  readonly packages: Readonly<Record<string, { readonly version?: string }>>
}

/** Returns Node's path and version. First installs a Node for another architecture, which npm skips. */
export const runtime = (architecture: Architecture): { readonly path: string; readonly version: string } => {
  const { cpu } = architectures[architecture]
  const name = `node-linux-${cpu}`
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as Lock
  const entry = lock.packages[`node_modules/${name}`]
  if (entry?.version === undefined) throw new Error(`package-lock.json does not contain ${name}`)
  const { version } = entry
  const nodeIn = (folder: string) => join(folder, "node_modules", name, "bin", "node")
  const folder = existsSync(nodeIn(".")) ? "." : join(".cache", "runtime", `${architecture}-${version}`)

  if (!existsSync(nodeIn(folder))) {
    mkdirSync(folder, { recursive: true })
    const manifest = { name: "runtime", version: "0.0.0", optionalDependencies: { [name]: version } }
    const { lockfileVersion } = lock
    const packages = { "": manifest, [`node_modules/${name}`]: entry }
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest))
    writeFileSync(
      join(folder, "package-lock.json"),
      JSON.stringify({ ...manifest, lockfileVersion, requires: true, packages })
    )
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--os=linux", `--cpu=${cpu}`, "--prefix", folder]
    execFileSync("npm", ["ci", ...flags], { stdio: ["ignore", "ignore", "inherit"] })
    // npm silently skips an optional package whose checksum is wrong
    if (!existsSync(nodeIn(folder))) throw new Error(`npm did not install ${name} ${version}`)
  }
  return { path: nodeIn(folder), version }
}
