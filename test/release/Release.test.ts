import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import packageJson from "../../package.json" with { type: "json" }
import * as Release from "../../scripts/release/Release.ts"

const { version } = packageJson
const root = new URL("../../", import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), "utf8")

/** The tag of a release that this commit has. */
const tagOfCommit = (): string | undefined => {
  try {
    const tags = execFileSync("git", ["tag", "--points-at", "HEAD", "v*"], { cwd: root, encoding: "utf8" })
    return tags.split("\n").find(Boolean)
  } catch {
    // the sources are a copy without git
    return undefined
  }
}

const changelog = (...titles: ReadonlyArray<string>) =>
  `# Changelog\n\n${titles.map((title) => `## ${title}\n\n### Uploading\n\n- ${title} works.\n`).join("\n")}`

describe("the version", () => {
  it("is the same in package.json, CHANGELOG.md and the tag", () => {
    expect(Release.disagreements({ version, changelog: read("CHANGELOG.md"), tag: tagOfCommit() })).toEqual([])
  })

  it("is the same in the README's download instructions", () => {
    const [, downloaded] = /\/releases\/download\/v(\S+)/.exec(read("README.md")) ?? []
    expect(downloaded).toBe(version)
  })
})

describe("disagreements", () => {
  const table: ReadonlyArray<
    [version: string, titles: ReadonlyArray<string>, tag: string | undefined, found: ReadonlyArray<string>]
  > = [
    ["0.1.0", ["Unreleased"], undefined, []],
    ["0.1.0", ["0.1.0 (2026-12-01)"], undefined, []],
    ["0.1.0", ["0.1.0 (2026-12-01)"], "v0.1.0", []],
    ["0.2.0", ["Unreleased", "0.1.0"], undefined, []],
    ["0.2.0-rc.1", ["0.2.0-rc.1", "0.1.0"], "v0.2.0-rc.1", []],
    ["0.1.0", [], undefined, ["no section"]],
    ["0.1.0", ["Unreleased", "0.1.0"], undefined, ["raise the version"]],
    ["0.1.0", ["0.2.0", "0.1.0"], "v0.2.0", ["newest section of CHANGELOG.md is 0.2.0", "raise the version"]],
    ["0.2.0", ["0.1.0"], "v0.2.0", ["newest section of CHANGELOG.md is 0.1.0"]],
    ["0.1.0", ["Unreleased"], "v0.1.0", ["name the section 0.1.0 before the tag"]],
    ["0.1.0", ["0.1.0"], "v0.1.1", ["the tag must be v0.1.0"]],
    ["0.1.0", ["0.1.0"], "0.1.0", ["the tag must be v0.1.0"]]
  ]

  it.each(table)("given version %s, sections %j and tag %s, returns %j", (stated, titles, tag, found) => {
    const disagreements = Release.disagreements({ version: stated, changelog: changelog(...titles), tag })
    expect(disagreements).toEqual(found.map((text) => expect.stringContaining(text)))
  })
})

describe("scripts/release-notes.ts", () => {
  const notes = (tag: string) =>
    execFileSync(process.execPath, ["scripts/release-notes.ts", tag], { cwd: root, encoding: "utf8", stdio: "pipe" })

  it("fails for the tag of another version", () => {
    expect(() => notes("v99.0.0")).toThrow(`the tag must be v${version}`)
  })

  it("prints the newest section, without its heading", () => {
    const [newest] = Release.sections(changelog("0.2.0 (2026-12-01)", "0.1.0"))
    expect(newest).toEqual({ title: "0.2.0", text: "### Uploading\n\n- 0.2.0 (2026-12-01) works." })
  })
})
