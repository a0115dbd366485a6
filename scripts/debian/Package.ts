/** What the Debian package holds: one row for each file. */
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

/** Debian orders what follows a tilde before the version itself, as npm does with a hyphen. */
export const version = released.replaceAll("-", "~")

export const fileName = (architecture: Architecture): string =>
  `ibsr-export_${version}_${architectures[architecture].debian}.deb`

const maintainer = "ibsr-export maintainers <maintainers@ibsr-export.example>"

const control = (architecture: Architecture): Archive["control"] => [
  ["Package", "ibsr-export"],
  ["Version", version],
  ["Architecture", architectures[architecture].debian],
  ["Maintainer", maintainer],
  // what Node is linked to, in the versions whose symbols it asks for; and adduser, which postinst runs
  ["Depends", "adduser, libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 5.2)"],
  ["Section", "net"],
  ["Priority", "optional"],
  [
    "Description",
    [
      "carries IBSR traffic snapshots to an S3 bucket",
      "Uploads the snapshots that the collector writes on this host to a bucket of",
      "the customer: Amazon S3, MinIO, Cloudflare R2, or anything that speaks S3. It",
      "needs no permission but to write, remembers on its own side what it stored,",
      "and says by its exit code what went wrong.",
      ".",
      "A systemd timer starts it every hour, once it is enabled."
    ].join("\n ")
  ]
]

const gzipped = (text: string) => gzipSync(text, { level: 9 })

/** What the program prints of itself is the same for every architecture; so this machine's own is asked. */
const ask = (...args: ReadonlyArray<string>): string => {
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

const text = (path: string, content: Entry["content"]): Entry => ({ path, mode: 0o644, content })

const placeOf = (name: string) => (name.endsWith(".conf") ? `${doc}/examples` : "usr/lib/systemd/system")

/** The units as the program makes them for this package's user and group; what not every host wants, as examples. */
const units = (): ReadonlyArray<Entry> => {
  const folder = mkdtempSync(join(tmpdir(), "ibsr-export-units-"))
  const flags = ["--program=/usr/bin/ibsr-export", "--user=ibsr-export", "--group=ibsr", `--to=${folder}`]
  try {
    ask("units", ...flags, ...DropIns.names.map((name) => `--drop-in=${name}`))
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((found) => found.isFile())
      .map(({ name, parentPath }) => text(join(placeOf(name), name), readFileSync(join(parentPath, name))))
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
      text("usr/share/man/man1/ibsr-export.1.gz", gzipped(ask("man"))),
      ...Object.entries(completions).map(([shell, path]) => text(path, ask("completion", shell))),
      text(`${doc}/copyright`, Copyright.render(architecture)),
      text(`${doc}/changelog.gz`, gzipped(changelog)),
      ...["postinst", "prerm", "postrm"].map((name) => ({
        path: `DEBIAN/${name}`,
        mode: 0o755,
        content: template(name)
      })),
      text("DEBIAN/conffiles", "/etc/ibsr-export/export.env\n")
    ]
  }
}
