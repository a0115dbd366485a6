/**
 * The binary: Node with the program inside, as one of Node's "single executable applications", and with the program's
 * compiled code, without which a start takes half as long again. Builds are reproducible bit for bit: nothing depends on
 * the folder, the clock, or chance.
 */
import { execFileSync } from "node:child_process"
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import Module from "node:module"
import { join } from "node:path"
import process from "node:process"
import * as Version from "../../src/cli/Version.ts"
import { compile } from "./compile.ts"
import { startThrough, strip } from "./elf.ts"
import { entryCode, jump } from "./entryCode.ts"
import * as Product from "./Product.ts"
import { runtime } from "./runtime.ts"

/**
 * The marker in Node's executable that says whether it contains a program. Source: "Single executable applications" in
 * Node's documentation.
 */
const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2"

/**
 * A small space for new objects, and one V8 thread beside the program's own: with thousands of small files, memory peaks
 * at 190 MB instead of 270, for a tenth more CPU. V8 must still accept the compiled code of Node's own modules with these
 * flags; other flags make a start take a third longer.
 */
const v8 = ["--max-semi-space-size=4", "--min-semi-space-size=4", "--v8-pool-size=1"]

/** Keeps SIGUSR1 from opening a debugger port, through which any local user could run code. */
const noDebugger = ["--disable-sigusr1"]

/** Builds the binary from the bundle. `out` must be on the same file system as .cache. */
export const binary = async (architecture: Product.Architecture, commit: string, out: string): Promise<void> => {
  const node = runtime(architecture)
  if (node.version !== process.versions.node) throw new Error(`the build must run under Node ${node.version}`)
  const folder = join(".cache", "build", architecture)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })

  writeFileSync(join(folder, "program"), Module.wrap(readFileSync(Product.bundle, "latin1").replace(/^#!.*/, "")))
  const launcher = Product.launcher(architecture)
  if (launcher === undefined) {
    const { emulator, sysroot } = Product.architectures[architecture]
    console.warn(`Without ${emulator} and ${sysroot}, this binary contains no compiled code and starts more slowly`)
    writeFileSync(join(folder, "compiled"), "")
  } else await compile([...launcher, node.path, ...v8], folder)

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
    // the blob contains this name verbatim, so it must not contain a folder
    main: "boot.cjs",
    output: "blob",
    disableExperimentalSEAWarning: true,
    // NODE_OPTIONS is ignored, because it is meant for other programs
    execArgvExtension: "none",
    execArgv: [...v8, ...noDebugger]
  }
  writeFileSync(join(folder, "config.json"), JSON.stringify(config))
  execFileSync(process.execPath, ["--experimental-sea-config", "config.json"], { cwd: folder, stdio: "pipe" })

  const unfinished = join(folder, "binary")
  const runtimeCode = startThrough(strip(readFileSync(node.path)), entryCode(architecture), (distance) =>
    jump(architecture, distance)
  )
  writeFileSync(unfinished, runtimeCode, { mode: 0o755 })
  const inject = ["node_modules/postject/dist/cli.js", unfinished, "NODE_SEA_BLOB", join(folder, "blob")]
  execFileSync(process.execPath, [...inject, "--sentinel-fuse", fuse], { stdio: "pipe" })
  const parts = [join(folder, "program"), join(folder, "compiled")].map((part) => readFileSync(part))
  appendFileSync(
    unfinished,
    Buffer.concat([...parts, Buffer.from(Uint32Array.from(parts, ({ length }) => length).buffer)])
  )
  renameSync(unfinished, out)
}
