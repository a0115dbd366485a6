/** The products of the build: their architectures, their file names, and how to run them on this machine. */
import { existsSync } from "node:fs"
import process from "node:process"

export const architectures = {
  arm64: { cpu: "arm64", debian: "arm64", emulator: "qemu-aarch64-static", sysroot: "/usr/aarch64-linux-gnu" },
  x86_64: { cpu: "x64", debian: "amd64", emulator: "qemu-x86_64-static", sysroot: "/usr/x86_64-linux-gnu" }
} as const

/** Part of the binary's name; similar to the output of `uname -m`. */
export type Architecture = keyof typeof architectures

export const isArchitecture = (name: string): name is Architecture => Object.hasOwn(architectures, name)

/** This machine's architecture, or undefined if no binary can be built for it. */
export const host = (): Architecture | undefined =>
  process.platform === "linux"
    ? (Object.keys(architectures) as Array<Architecture>).find((name) => architectures[name].cpu === process.arch)
    : undefined

export const bundle = "dist/ibsr-export.cjs"
export const binary = (architecture: Architecture): string => `dist/ibsr-export-${architecture}`

/** The command that runs the program on this machine: its binary, or the bundle under the current Node. */
export const program = (): ReadonlyArray<string> => {
  const architecture = host()
  return architecture === undefined ? [process.execPath, bundle] : [binary(architecture)]
}

/** The command prefix that runs a program of that architecture on this machine. Undefined if it cannot run here. */
export const launcher = (architecture: Architecture): ReadonlyArray<string> | undefined => {
  if (architecture === host()) return []
  const { emulator, sysroot } = architectures[architecture]
  const found = (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(`${folder}/${emulator}`))
  return found && existsSync(sysroot) ? [emulator, "-L", sysroot] : undefined
}
