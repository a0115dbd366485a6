/**
 * Node with the program in it, as Node's "single executable applications" have it, and with the program's compiled code,
 * without which a start takes half as long again. Two builds of a commit are the same to the bit: nothing in them comes
 * from the folder, the clock, or chance.
 */
import { execFileSync } from "node:child_process"
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import Module from "node:module"
import { join } from "node:path"
import process from "node:process"
import * as Version from "../../src/cli/Version.ts"
import * as Product from "./Product.ts"
import { strip } from "./elf.ts"
import { runtime } from "./runtime.ts"
import { compile } from "./compile.ts"

/** The mark in Node's file that says whether a program is in it. Source: Node's documentation of the same. */
const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2"

/**
 * New objects get little room, and one thread works for V8 beside the program's own: thousands of small files then peak
 * at 190 MB instead of 270, for a tenth more CPU. Only flags after which V8 still takes the compiled code that Node's own
 * modules come with: others cost a start a third more.
 */
const v8 = ["--max-semi-space-size=4", "--min-semi-space-size=4", "--v8-pool-size=1"]

/** Makes it of the bundle; `out` is on the same file system. */
export const binary = async (architecture: Product.Architecture, commit: string, out: string): Promise<void> => {
  const node = runtime(architecture)
  if (node.version !== process.versions.node) throw new Error(`this must be run by Node ${node.version}`)
  const folder = join(".cache", "build", architecture)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })

  writeFileSync(join(folder, "program"), Module.wrap(readFileSync(Product.bundle, "latin1").replace(/^#!.*/, "")))
  const through = Product.launcher(architecture)
  if (through === undefined) {
    const { emulator, sysroot } = Product.architectures[architecture]
    console.warn(`Without ${emulator} and ${sysroot} this binary gets no compiled code, and starts slower`)
    writeFileSync(join(folder, "compiled"), "")
  } else await compile([...through, node.path, ...v8], folder)

  const line = Version.line({
    commit,
    node: node.version,
    platform: "linux",
    arch: Product.architectures[architecture].cpu
  })
  writeFileSync(
    join(folder, "boot.cjs"),
    readFileSync(new URL("boot.cjs", import.meta.url), "utf8").replace("@VERSION@", line)
  )
  const config = {
    // kept in the blob as it is written here, so it must not name a folder
    main: "boot.cjs",
    output: "blob",
    disableExperimentalSEAWarning: true,
    // what is in NODE_OPTIONS is meant for other programs
    execArgvExtension: "none",
    execArgv: v8
  }
  writeFileSync(join(folder, "config.json"), JSON.stringify(config))
  execFileSync(process.execPath, ["--experimental-sea-config", "config.json"], { cwd: folder, stdio: "pipe" })

  const made = join(folder, "binary")
  writeFileSync(made, strip(readFileSync(node.path)), { mode: 0o755 })
  const inject = ["node_modules/postject/dist/cli.js", made, "NODE_SEA_BLOB", join(folder, "blob")]
  execFileSync(process.execPath, [...inject, "--sentinel-fuse", fuse], { stdio: "pipe" })
  const parts = [join(folder, "program"), join(folder, "compiled")].map((part) => readFileSync(part))
  appendFileSync(made, Buffer.concat([...parts, Buffer.from(Uint32Array.from(parts, ({ length }) => length).buffer)]))
  renameSync(made, out)
}
