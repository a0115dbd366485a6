/** The workflows of GitHub Actions. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, inject, it } from "vitest"
import packageJson from "../../package.json" with { type: "json" }
import * as Product from "../../scripts/build/Product.ts"
import * as Package from "../../scripts/debian/Package.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))
const read = (name: string) => readFileSync(`${root}.github/workflows/${name}`, "utf8")
const actionlint = inject("actionlint")

describe("the workflows", () => {
  it.skipIf(actionlint === undefined)("pass actionlint", () => {
    // ignores shellcheck, so that the result does not depend on whether it is installed
    const { status, stdout } = spawnSync(actionlint!, ["-no-color", "-shellcheck="], { cwd: root, encoding: "utf8" })
    expect(stdout).toBe("")
    expect(status).toBe(0)
  })

  it("run .ci/run for every change and before a release", () => {
    expect(read("ci.yml")).toMatch(/run: .* \.ci\/run\n/)
    expect(read("release.yml")).toContain("uses: ./.github/workflows/ci.yml\n")
  })

  it("publish the binary, the bill of materials and the package of each architecture, and checksums.txt", () => {
    const [, command = ""] = read("release.yml").split("gh release create ")
    const words = command.split(/\s+/)
    const architectures = Object.keys(Product.architectures) as Array<Product.Architecture>
    const assets = architectures.flatMap((architecture) => {
      const binary = Product.binary(architecture).replace("dist/", "")
      return [binary, `${binary}.cdx.json`, Package.fileName(architecture).replace(packageJson.version, "*")]
    })
    expect(words.filter((word) => /^(?:ibsr-export[-_].*|checksums\.txt)$/.test(word)).toSorted()).toEqual(
      [...assets, "checksums.txt"].toSorted()
    )
  })
})
