/** Writes the tables of `docs/stores.md`: `npm run stores` also runs the contract suite on the installed stores. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type StoreResult, withTables } from "./stores/StoresPage.ts"

const docs = join(import.meta.dirname, "../docs")
const page = join(docs, "stores.md")
const results = JSON.parse(readFileSync(join(docs, "stores.results.json"), "utf8")) as ReadonlyArray<StoreResult>
writeFileSync(page, withTables(readFileSync(page, "utf8"), results))
