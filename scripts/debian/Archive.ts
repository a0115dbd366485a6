/** A Debian package as a folder of files, and as the archive that dpkg-deb makes of it. Source: deb(5), dpkg-deb(1). */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"

/** A file of the package. All belong to root. */
export interface Entry {
  /** Where it is installed, without the slash it begins with; what is below DEBIAN/ is for dpkg. */
  readonly path: string
  readonly mode: number
  readonly content: string | Uint8Array | { readonly copyOf: string }
}

export interface Archive {
  readonly entries: ReadonlyArray<Entry>
  /** The fields of DEBIAN/control, in their order. */
  readonly control: ReadonlyArray<readonly [field: string, value: string]>
  /** Of every file and folder. */
  readonly date: Date
}

/** What a package that is only made to be looked at, or installed at once, can do without. */
export type Compression = "xz" | "none"

// At xz's usual level the archive is a sixth smaller, and takes five times as long.
const compressions = { xz: ["-Zxz", "-z1"], none: ["-Znone"] } satisfies Record<Compression, ReadonlyArray<string>>

const kibibytes = (bytes: number) => Math.ceil(bytes / 1024)

/** Every folder that the files need, outermost first. */
const folders = (paths: ReadonlyArray<string>): ReadonlyArray<string> => {
  const found = new Set<string>()
  for (const path of paths) {
    for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) found.add(folder)
  }
  return [...found].toSorted()
}

/** As `dpkg --verify` compares it; of configuration dpkg keeps account itself. */
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

const put = (root: string, { content, mode, path }: Entry) => {
  const file = join(root, path)
  if (typeof content === "object" && "copyOf" in content) cpSync(content.copyOf, file)
  else writeFileSync(file, content)
  chmodSync(file, mode)
}

/** Makes it in a folder of its own, whatever the caller's umask is, so that the same files give the same archive. */
export const build = ({ control, date, entries }: Archive, file: string, compression: Compression): void => {
  const root = mkdtempSync(join(tmpdir(), "ibsr-export-deb-"))
  try {
    for (const folder of ["", "DEBIAN", ...folders(entries.map(({ path }) => path))]) {
      mkdirSync(join(root, folder), { recursive: true })
      chmodSync(join(root, folder), 0o755)
    }
    for (const entry of entries) put(root, entry)
    const installed = entries.filter(({ path }) => !path.startsWith("DEBIAN/"))
    const size = installed.reduce((sum, { path }) => sum + kibibytes(statSync(join(root, path)).size), 0)
    const fields = [...control, ["Installed-Size", String(size + folders(installed.map(({ path }) => path)).length)]]
    put(root, {
      path: "DEBIAN/control",
      mode: 0o644,
      content: fields.map(([name, value]) => `${name}: ${value}\n`).join("")
    })
    put(root, { path: "DEBIAN/md5sums", mode: 0o644, content: sums(root, installed) })
    mkdirSync(dirname(file), { recursive: true })
    execFileSync("dpkg-deb", ["--root-owner-group", ...compressions[compression], "--build", root, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(Math.floor(date.getTime() / 1000)) },
      stdio: ["ignore", "ignore", "inherit"]
    })
  } finally {
    rmSync(root, { recursive: true })
  }
}
