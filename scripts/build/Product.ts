/** What is made: for which machines, under which names, and how it runs here. */
import { existsSync } from "node:fs"
import process from "node:process"

export const architectures = {
  arm64: { cpu: "arm64", debian: "arm64", emulator: "qemu-aarch64-static", sysroot: "/usr/aarch64-linux-gnu" },
  x86_64: { cpu: "x64", debian: "amd64", emulator: "qemu-x86_64-static", sysroot: "/usr/x86_64-linux-gnu" }
} as const

/** As `uname -m` has it, more or less: part of the binary's name. */
export type Architecture = keyof typeof architectures

export const isArchitecture = (name: string): name is Architecture => Object.hasOwn(architectures, name)

/** That of this machine, if binaries can be made for it. */
export const host = (): Architecture | undefined =>
  process.platform === "linux"
    ? (Object.keys(architectures) as Array<Architecture>).find((name) => architectures[name].cpu === process.arch)
    : undefined

/** What the build makes. */
export const bundle = "dist/ibsr-export.cjs"
export const binary = (architecture: Architecture): string => `dist/ibsr-export-${architecture}`

/** The program as it runs on this machine: its binary, or where there is none, by the Node at hand. */
export const program = (): ReadonlyArray<string> => {
  const architecture = host()
  return architecture === undefined ? [process.execPath, bundle] : [binary(architecture)]
}

/** What a program of that architecture is started through; undefined where it cannot run here. */
export const launcher = (architecture: Architecture): ReadonlyArray<string> | undefined => {
  if (architecture === host()) return []
  const { emulator, sysroot } = architectures[architecture]
  const found = (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(`${folder}/${emulator}`))
  return found && existsSync(sysroot) ? [emulator, "-L", sysroot] : undefined
}
