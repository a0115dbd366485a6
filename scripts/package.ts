// Builds the Debian packages, dist/ibsr-export_<version>_<arch>.deb, after the binaries that they contain.
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import { checksums } from "./build/checksums.ts"
import * as Product from "./build/Product.ts"
import { build } from "./debian/Archive.ts"
import { date } from "./debian/date.ts"
import * as Package from "./debian/Package.ts"

const architectures = Object.keys(Product.architectures) as Array<Product.Architecture>
// all binaries first: every package contains documents that this machine's own binary prints
for (const architecture of architectures) {
  console.log(`Building ${Product.binary(architecture)} and its bill of materials`)
  execFileSync(process.execPath, ["scripts/build.ts", architecture], { stdio: ["ignore", "ignore", "inherit"] })
}
for (const architecture of architectures) {
  const file = join("dist", Package.fileName(architecture))
  console.log(`Packing ${file}`)
  build(Package.make(architecture, date()), file, "xz")
}
console.log("Writing dist/checksums.txt")
checksums()
