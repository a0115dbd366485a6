// release-notes.ts TAG: prints the notes of a release. Fails if TAG, package.json and CHANGELOG.md name different
// versions.
import { readFileSync } from "node:fs"
import process from "node:process"
import packageJson from "../package.json" with { type: "json" }
import * as Release from "./release/Release.ts"

const [tag] = process.argv.slice(2)
if (tag === undefined) {
  console.error("usage: node scripts/release-notes.ts TAG")
  process.exit(2)
}
const changelog = readFileSync(new URL("../CHANGELOG.md", import.meta.url), "utf8")
const disagreements = Release.disagreements({ version: packageJson.version, changelog, tag })
for (const disagreement of disagreements) console.error(disagreement)
if (disagreements.length > 0) process.exit(1)
console.log(Release.sections(changelog)[0]?.text)
