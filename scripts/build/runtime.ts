/** The Node that becomes part of the binary: as the lock file names it, with its checksum. */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Architecture, architectures } from "./Product.ts"

interface Lock {
  readonly lockfileVersion: number
  readonly packages: Readonly<Record<string, { readonly version?: string }>>
}

/** Its path; it is installed first if npm did not, because it is another machine's. */
export const runtime = (architecture: Architecture): { readonly path: string; readonly version: string } => {
  const { cpu } = architectures[architecture]
  const name = `node-linux-${cpu}`
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as Lock
  const entry = lock.packages[`node_modules/${name}`]
  if (entry?.version === undefined) throw new Error(`package-lock.json does not name ${name}`)
  const { version } = entry
  const inFolder = (folder: string) => join(folder, "node_modules", name, "bin", "node")
  const folder = existsSync(inFolder(".")) ? "." : join(".cache", "runtime", `${architecture}-${version}`)

  if (!existsSync(inFolder(folder))) {
    mkdirSync(folder, { recursive: true })
    const alone = { name: "runtime", version: "0.0.0", optionalDependencies: { [name]: version } }
    const { lockfileVersion } = lock
    const packages = { "": alone, [`node_modules/${name}`]: entry }
    writeFileSync(join(folder, "package.json"), JSON.stringify(alone))
    writeFileSync(
      join(folder, "package-lock.json"),
      JSON.stringify({ ...alone, lockfileVersion, requires: true, packages })
    )
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--os=linux", `--cpu=${cpu}`, "--prefix", folder]
    execFileSync("npm", ["ci", ...flags], { stdio: ["ignore", "ignore", "inherit"] })
    // npm skips an optional package without a word when its checksum is wrong
    if (!existsSync(inFolder(folder))) throw new Error(`npm has not installed ${name} ${version}`)
  }
  return { path: inFolder(folder), version }
}
