/** The contents of the Debian package: one entry per file. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { gzipSync } from "node:zlib"
import { version as released } from "../../src/cli/Version.ts"
import * as DropIns from "../../src/units/DropIns.ts"
import { type Architecture, architectures, binary, program } from "../build/Product.ts"
import type { Archive, Entry } from "./Archive.ts"
import * as Changelog from "./Changelog.ts"
import * as Copyright from "./Copyright.ts"

/** Debian sorts a version with a tilde before the version itself, as npm does with a hyphen. */
export const version = released.replaceAll("-", "~")

/** The name has the version of the tag, because GitHub replaces a tilde in the name of an asset. */
export const fileName = (architecture: Architecture): string =>
  `ibsr-export_${released}_${architectures[architecture].debian}.deb`

const maintainer = "ibsr-export maintainers <maintainers@ibsr-export.example>"

const control = (architecture: Architecture): Archive["control"] => [
  ["Package", "ibsr-export"],
  ["Version", version],
  ["Architecture", architectures[architecture].debian],
  ["Maintainer", maintainer],
  // the libraries that Node is linked to, in the versions whose symbols it needs, and adduser, which postinst runs
  ["Depends", "adduser, libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 5.2)"],
  ["Section", "net"],
  ["Priority", "optional"],
  [
    "Description",
    [
      "carries IBSR traffic snapshots to an S3 bucket",
      "Uploads the snapshots that the collector writes on this host to a bucket of",
      "the customer: Amazon S3, MinIO, Cloudflare R2, or any S3-compatible store. It",
      "needs only the permission to write, keeps a local record of what it stored,",
      "and reports the cause of a failure by its exit code.",
      ".",
      "A systemd timer, once enabled, starts it every hour."
    ].join("\n ")
  ]
]

const gzipped = (text: string) => gzipSync(text, { level: 9 })

/** Runs this machine's binary: its documents are the same for every architecture. */
const runProgram = (...args: ReadonlyArray<string>): string => {
  const [command = "", ...rest] = [...program().map((word) => resolve(word)), ...args]
  return execFileSync(command, rest, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })
}

const template = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8")

const completions = {
  bash: "usr/share/bash-completion/completions/ibsr-export",
  fish: "usr/share/fish/vendor_completions.d/ibsr-export.fish",
  zsh: "usr/share/zsh/vendor-completions/_ibsr-export"
}

const doc = "usr/share/doc/ibsr-export"

const textFile = (path: string, content: Entry["content"]): Entry => ({ path, mode: 0o644, content })

const directoryOf = (name: string) => (name.endsWith(".conf") ? `${doc}/examples` : "usr/lib/systemd/system")

/** The units that the program generates for this package's user and group, and its drop-ins as examples. */
const units = (): ReadonlyArray<Entry> => {
  const folder = mkdtempSync(join(tmpdir(), "ibsr-export-units-"))
  const flags = ["--program=/usr/bin/ibsr-export", "--user=ibsr-export", "--group=ibsr", `--to=${folder}`]
  try {
    runProgram("units", ...flags, ...DropIns.names.map((name) => `--drop-in=${name}`))
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((found) => found.isFile())
      .map(({ name, parentPath }) => textFile(join(directoryOf(name), name), readFileSync(join(parentPath, name))))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export const make = (architecture: Architecture, date: Date): Archive => {
  const changelog = Changelog.render(readFileSync("CHANGELOG.md", "utf8"), { version, maintainer, date })
  return {
    date,
    control: control(architecture),
    entries: [
      { path: "usr/bin/ibsr-export", mode: 0o755, content: { copyOf: binary(architecture) } },
      { path: "etc/ibsr-export/export.env", mode: 0o600, content: template("export.env") },
      ...units(),
      textFile("usr/share/man/man1/ibsr-export.1.gz", gzipped(runProgram("man"))),
      ...Object.entries(completions).map(([shell, path]) => textFile(path, runProgram("completion", shell))),
      textFile(`${doc}/copyright`, Copyright.render(architecture)),
      textFile(`${doc}/changelog.gz`, gzipped(changelog)),
      ...["postinst", "prerm", "postrm"].map((name) => ({
        path: `DEBIAN/${name}`,
        mode: 0o755,
        content: template(name)
      })),
      textFile("DEBIAN/conffiles", "/etc/ibsr-export/export.env\n")
    ]
  }
}
