/** Checks that package.json, CHANGELOG.md and the tag state the same version, and makes the release notes. */

/** A section of CHANGELOG.md. */
export interface Section {
  /** A version, or `Unreleased`. */
  readonly title: string
  /** In Markdown, without the heading. */
  readonly text: string
}

/**
 * Returns the sections, newest first. A heading starts with the version; after a space, it may contain more, such as
 * the date.
 */
export const sections = (changelog: string): ReadonlyArray<Section> =>
  changelog
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = ""] = section.split("\n", 1)
      return { title: heading.split(" ", 1)[0]!, text: section.slice(heading.length).trim() }
    })

export interface Statements {
  /** The version in package.json. */
  readonly version: string
  readonly changelog: string
  /** Undefined if the commit has no tag of a release. */
  readonly tag: string | undefined
}

/**
 * `Unreleased` stands for the next version, which package.json already names. That version must not be released yet.
 */
export const disagreements = ({ changelog, tag, version }: Statements): ReadonlyArray<string> => {
  const titles = sections(changelog).map(({ title }) => title)
  const [newest, ...older] = titles
  if (newest === undefined) return ["CHANGELOG.md has no section"]
  const released = older.includes(version)
    ? [`package.json says ${version}, which CHANGELOG.md lists below ${newest}: raise the version`]
    : []
  if (newest !== "Unreleased" && newest !== version)
    return [`package.json says ${version}, but the newest section of CHANGELOG.md is ${newest}`, ...released]
  if (tag === undefined) return released
  return [
    ...released,
    ...(tag === `v${version}`
      ? []
      : [`the tag is ${tag}, but package.json says ${version}: the tag must be v${version}`]),
    ...(newest === "Unreleased" ? [`CHANGELOG.md says Unreleased: name the section ${version} before the tag`] : [])
  ]
}
