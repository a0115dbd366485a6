import { createHash } from "node:crypto"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** Writes dist/checksums.txt for `sha256sum --check`, with every file to be distributed. */
export const checksums = (): void => {
  const names = readdirSync("dist").filter((name) => /^ibsr-export[-_]/.test(name))
  const line = (name: string) =>
    `${createHash("sha256")
      .update(readFileSync(join("dist", name)))
      .digest("hex")}  ${name}\n`
  writeFileSync("dist/checksums.txt", names.toSorted().map(line).join(""))
}
