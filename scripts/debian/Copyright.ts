/** The authors and the licences of everything in the binary. */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { binary, type Architecture } from "../build/Product.ts"
import { runtime } from "../build/runtime.ts"

/** Third-party software in the binary. */
interface ThirdParty {
  readonly title: string
  readonly terms: string
}

interface Component {
  readonly type: string
  readonly name: string
  readonly version: string
  readonly licenses?: ReadonlyArray<{ readonly license: { readonly id?: string } }>
}

const licenceText = (folder: string): string | undefined => {
  const name = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file))
  return name === undefined ? undefined : readFileSync(join(folder, name), "utf8").trim()
}

/** The licence text of a component, or its name: a few packages contain no text. */
const licenceOf = (folder: string, { licenses = [], name }: Component): string => {
  const named = licenses.flatMap(({ license: { id } }) => id ?? [])
  const terms = licenceText(folder) ?? (named.length > 0 ? `Licence: ${named.join(", ")}` : undefined)
  if (terms === undefined) throw new Error(`${name} does not state its licence`)
  return terms
}

/** The components in the bill of materials: Node, and the packages. */
const thirdParty = (architecture: Architecture): ReadonlyArray<ThirdParty> => {
  const { components } = JSON.parse(readFileSync(`${binary(architecture)}.cdx.json`, "utf8")) as {
    readonly components: ReadonlyArray<Component>
  }
  const node = join(dirname(runtime(architecture).path), "..")
  return components.map((component) => ({
    title: `${component.name} ${component.version}`,
    terms: licenceOf(component.type === "library" ? join("node_modules", component.name) : node, component)
  }))
}

const separator = `\n${"-".repeat(80)}\n\n`

/** Components with identical licence terms share one section. */
export const render = (architecture: Architecture): string => {
  const byTerms = Map.groupBy(thirdParty(architecture), ({ terms }) => terms)
  return [
    "ibsr-export",
    readFileSync("LICENSE", "utf8").trim(),
    "/usr/bin/ibsr-export also contains Node and parts of the packages below, each under its own terms.",
    ...[...byTerms].map(
      ([terms, components]) => `${separator}${components.map(({ title }) => title).join("\n")}\n\n${terms}`
    )
  ]
    .join("\n\n")
    .concat("\n")
}
