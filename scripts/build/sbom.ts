import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import process from "node:process"
import * as Version from "../../src/cli/Version.ts"

interface Component {
  readonly name: string
  readonly version: string
}

/** Node and its bundled libraries: scanners know OpenSSL, SQLite and V8 by their own names. */
const node = (versions: NodeJS.ProcessVersions) => ({
  type: "platform",
  "bom-ref": `node@${versions.node}`,
  name: "node",
  version: versions.node,
  cpe: `cpe:2.3:a:nodejs:node.js:${versions.node}:*:*:*:*:*:*:*`,
  purl: `pkg:generic/node@${versions.node}`,
  licenses: [{ license: { id: "MIT" } }],
  components: Object.entries(versions)
    .filter(([name, version]) => name !== "node" && Boolean(version))
    .map(([name, version]) => ({ type: "library", "bom-ref": `node/${name}@${version}`, name, version }))
})

/**
 * The bill of materials of a binary, in CycloneDX format: the packages in the bundle, and Node. Licences and checksums
 * come from npm.
 */
export const sbom = (binary: string, packages: ReadonlySet<string>): string => {
  const flags = ["--sbom-format=cyclonedx", "--package-lock-only"]
  const listed = JSON.parse(execFileSync("npm", ["sbom", ...flags], { encoding: "utf8" })) as {
    readonly specVersion: string
    readonly components: ReadonlyArray<Component>
  }
  const components = listed.components
    .filter(({ name }) => packages.has(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const missing = [...packages].filter((name) => !components.some((component) => component.name === name))
  if (missing.length > 0) throw new Error(`in the bundle, but unknown to npm: ${missing.join(", ")}`)
  const content = createHash("sha256").update(readFileSync(binary)).digest("hex")
  const document = {
    bomFormat: "CycloneDX",
    specVersion: listed.specVersion,
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": `ibsr-export@${Version.version}`,
        name: "ibsr-export",
        version: Version.version,
        hashes: [{ alg: "SHA-256", content }],
        licenses: [{ license: { id: "MIT" } }]
      }
    },
    components: [node(process.versions), ...components]
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}
