// Installs what the lock file names when it is not there yet, so that every npm script works on a fresh clone.
// Plain JavaScript on purpose: it runs before anything is installed, on any Node from 20 on.
import { execFileSync } from "node:child_process"
import { existsSync, statSync } from "node:fs"
import process from "node:process"

const root = new URL("..", import.meta.url)
const at = (path) => new URL(path, root)
/** npm writes this file last, so its time says which lock file the folder was made from. */
const installed = at("node_modules/.package-lock.json")

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(at("package-lock.json")).mtimeMs) {
  console.log("Installing the dependencies named in package-lock.json (once) …")
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: root, stdio: "inherit" })
}

// npm skips an optional package silently when it cannot be had, so the Node that it brings must be looked for.
const bundledNode = existsSync(at("node_modules/.bin/node"))
if (!bundledNode && Number(process.versions.node.split(".")[0]) < 24) {
  console.error(`ibsr-export needs Node 24 or newer to build; this is ${process.version}.`)
  console.error("On Linux x64 and arm64 npm installs one by itself; elsewhere, install Node 24 and try again.")
  process.exit(1)
}
