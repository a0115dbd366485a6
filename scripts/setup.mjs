// Installs the packages in the lock file if they are missing or outdated, so that every npm script works on a fresh clone.
// Plain JavaScript on purpose: it runs before anything is installed, under Node 20 or newer.
import { execFileSync } from "node:child_process"
import { existsSync, statSync } from "node:fs"
import process from "node:process"

const root = new URL("..", import.meta.url)
const at = (path) => new URL(path, root)
/** npm writes this file last: if it is older than the lock file, the installation is outdated. */
const installed = at("node_modules/.package-lock.json")

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(at("package-lock.json")).mtimeMs) {
  console.log("Installing the dependencies named in package-lock.json (once) …")
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: root, stdio: "inherit" })
}

// npm silently skips an optional package that it cannot install, so check for the Node that it provides
const bundledNode = existsSync(at("node_modules/.bin/node"))
if (!bundledNode && Number(process.versions.node.split(".")[0]) < 24) {
  console.error(`ibsr-export needs Node 24 or newer to build; this is ${process.version}.`)
  console.error("npm installs it on Linux x64 and arm64. Elsewhere, install Node 24 and try again.")
  process.exit(1)
}
