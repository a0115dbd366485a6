/** Builds a Debian package: a folder of files, and the archive that dpkg-deb builds from it. Source: deb(5), dpkg-deb(1). */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"

/** A file of the package, owned by root. */
export interface Entry {
  /** The path it is installed at, without the leading slash. Files below DEBIAN/ are for dpkg. */
  readonly path: string
  readonly mode: number
  readonly content: string | Uint8Array | { readonly copyOf: string }
}

export interface Archive {
  readonly entries: ReadonlyArray<Entry>
  /** The fields of DEBIAN/control, in order. */
  readonly control: ReadonlyArray<readonly [field: string, value: string]>
  /** The modification time of every file and folder. */
  readonly date: Date
}

/** `none` is for tests, which unpack the package at once. */
export type Compression = "xz" | "none"

// At xz's default level, the archive is a sixth smaller but takes five times as long.
const compressions = { xz: ["-Zxz", "-z1"], none: ["-Znone"] } satisfies Record<Compression, ReadonlyArray<string>>

const kibibytes = (bytes: number) => Math.ceil(bytes / 1024)

/** All folders of the files, outermost first. */
const folders = (paths: ReadonlyArray<string>): ReadonlyArray<string> => {
  const result = new Set<string>()
  for (const path of paths) {
    for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) result.add(folder)
  }
  return [...result].toSorted()
}

/** The checksums for `dpkg --verify`. dpkg itself keeps those of configuration files. */
const sums = (root: string, entries: ReadonlyArray<Entry>): string =>
  entries
    .filter(({ path }) => !path.startsWith("etc/"))
    .map(
      ({ path }) =>
        `${createHash("md5")
          .update(readFileSync(join(root, path)))
          .digest("hex")}  ${path}\n`
    )
    .join("")

const writeEntry = (root: string, { content, mode, path }: Entry) => {
  const file = join(root, path)
  if (typeof content === "object" && "copyOf" in content) cpSync(content.copyOf, file)
  else writeFileSync(file, content)
  chmodSync(file, mode)
}

/** Builds the archive in a new folder, independent of the umask, so that the same files give the same archive. */
export const build = ({ control, date, entries }: Archive, file: string, compression: Compression): void => {
  const root = mkdtempSync(join(tmpdir(), "ibsr-export-deb-"))
  try {
    for (const folder of ["", "DEBIAN", ...folders(entries.map(({ path }) => path))]) {
      mkdirSync(join(root, folder), { recursive: true })
      chmodSync(join(root, folder), 0o755)
    }
    for (const entry of entries) writeEntry(root, entry)
    const installed = entries.filter(({ path }) => !path.startsWith("DEBIAN/"))
    const size = installed.reduce((sum, { path }) => sum + kibibytes(statSync(join(root, path)).size), 0)
    const fields = [...control, ["Installed-Size", String(size + folders(installed.map(({ path }) => path)).length)]]
    writeEntry(root, {
      path: "DEBIAN/control",
      mode: 0o644,
      content: fields.map(([name, value]) => `${name}: ${value}\n`).join("")
    })
    writeEntry(root, { path: "DEBIAN/md5sums", mode: 0o644, content: sums(root, installed) })
    mkdirSync(dirname(file), { recursive: true })
    execFileSync("dpkg-deb", ["--root-owner-group", ...compressions[compression], "--build", root, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(Math.floor(date.getTime() / 1000)) },
      stdio: ["ignore", "ignore", "inherit"]
    })
  } finally {
    rmSync(root, { recursive: true })
  }
}
