/** The generated tables of `docs/stores.md`. */
import { table } from "../../src/domain/Providers.ts"

/** What the contract suite found out about a store. */
export interface StoreResult {
  readonly name: string
  readonly version: string
  readonly date: string
  /** Whether it has users with fewer rights. Without them, some tests are skipped. */
  readonly hasUsers: boolean
  /** The titles of the tests that passed. */
  readonly passed: ReadonlyArray<string>
  /** The titles of the tests that failed as expected, and what the store does instead. */
  readonly differences: Readonly<Record<string, string>>
}

const row = (cells: ReadonlyArray<string | number>) => `| ${cells.join(" | ")} |`

const rule = (columns: number) => row(Array.from({ length: columns }, () => "---"))

const providers = (): ReadonlyArray<string> => {
  const titles = ["provider", "host of the endpoint", "default region", "bucket's name in", "first checksum"]
  const more = ["most parts", "parts at once", "does not support", "also"]
  return [
    row([...titles, ...more]),
    rule(titles.length + more.length),
    ...table.map(
      ({ bucketIn, checksum, host, maxParts, name, note = "", partsAtOnce, pattern, region, unsupported }) => {
        const named = pattern.source.includes("<region>") ? "as in the host" : (region ?? "none: it must be given")
        const missing = unsupported === undefined ? "not known" : unsupported.map((flag) => `\`${flag}\``).join(", ")
        const parts = maxParts.toLocaleString("en")
        return row([name, host, named, `the ${bucketIn}`, checksum, parts, partsAtOnce, missing, note])
      }
    )
  ]
}

const results = (stores: ReadonlyArray<StoreResult>): ReadonlyArray<string> => [
  row(["store", "version", "passed", "what it does differently", "date"]),
  rule(5),
  ...stores.map(({ date, differences, hasUsers, name, passed, version }) => {
    const different = Object.keys(differences).length
    const users = hasUsers ? [] : ["Has no users with fewer rights"]
    const sentences = [...new Set(Object.values(differences)), ...users].map((sentence) => `${sentence}.`)
    return row([name, version, `${passed.length} of ${passed.length + different}`, sentences.join(" "), date])
  })
]

/** The page with its tables replaced: each follows a comment that names it. */
export const withTables = (page: string, stores: ReadonlyArray<StoreResult>): string =>
  Object.entries({ providers: providers(), results: results(stores) }).reduce(
    (text, [name, lines]) =>
      text.replace(new RegExp(`(<!-- generated: ${name} -->\n\n)(?:\\|.*\n)*`), (_, comment: string) =>
        [comment, ...lines.map((line) => `${line}\n`)].join("")
      ),
    page
  )
