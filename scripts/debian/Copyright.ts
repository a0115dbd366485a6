/** Whose work is in the binary, and on what terms. */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { binary, type Architecture } from "../build/Product.ts"
import { runtime } from "../build/runtime.ts"

/** A part of the binary that is somebody else's. */
interface Part {
  readonly title: string
  readonly terms: string
}

interface Component {
  readonly type: string
  readonly name: string
  readonly version: string
  readonly licenses?: ReadonlyArray<{ readonly license: { readonly id?: string } }>
}

const text = (folder: string): string | undefined => {
  const name = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file))
  return name === undefined ? undefined : readFileSync(join(folder, name), "utf8").trim()
}

/** Few have no text of their licence, and only its name. */
const terms = (folder: string, { licenses = [], name }: Component): string => {
  const named = licenses.flatMap(({ license: { id } }) => id ?? [])
  const found = text(folder) ?? (named.length > 0 ? `Licence: ${named.join(", ")}` : undefined)
  if (found === undefined) throw new Error(`${name} does not say on what terms it may be handed on`)
  return found
}

/** What the bill of materials names: Node, and the packages. */
const parts = (architecture: Architecture): ReadonlyArray<Part> => {
  const { components } = JSON.parse(readFileSync(`${binary(architecture)}.cdx.json`, "utf8")) as {
    readonly components: ReadonlyArray<Component>
  }
  const node = join(dirname(runtime(architecture).path), "..")
  return components.map((component) => ({
    title: `${component.name} ${component.version}`,
    terms: terms(component.type === "library" ? join("node_modules", component.name) : node, component)
  }))
}

const line = `\n${"-".repeat(80)}\n\n`

/** What is on the very same terms stands together above them. */
export const render = (architecture: Architecture): string => {
  const foreign = Map.groupBy(parts(architecture), ({ terms }) => terms)
  return [
    "ibsr-export",
    readFileSync("LICENSE", "utf8").trim(),
    "/usr/bin/ibsr-export also holds Node, and parts of the packages named below, each on its own terms.",
    ...[...foreign].map(([terms, alike]) => `${line}${alike.map(({ title }) => title).join("\n")}\n\n${terms}`)
  ]
    .join("\n\n")
    .concat("\n")
}
