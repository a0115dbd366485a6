/**
 * The marker is the first two lines of a file that `units` makes. It names the job that the file belongs to, and
 * contains a checksum that shows whether the file was changed later. It keeps `units` from replacing files of other
 * jobs and files that administrators changed.
 */
import { Either } from "effect"
import { createHash } from "node:crypto"
import type { File, Job } from "./Job.ts"

/** The flags of `s3` that distinguish jobs. A change of any other flag does not make a different job. */
const distinguishing = ["--input=", "--bucket=", "--prefix=", "--endpoint="]

const shown = (word: string) => (/^[\w@+=:,./-]+$/.test(word) ? word : JSON.stringify(word))

/** Identifies a job by what it uploads, and where to. */
export const identityOf = ({ args, names }: Pick<Job, "args" | "names">): string => {
  const given = distinguishing.flatMap((flag) => args.filter((word) => word.startsWith(flag)))
  return given.length === 0 ? `the variables in ${names.environmentFile}` : given.map(shown).join(" ")
}

const first = "# Made by `ibsr-export units`"

/** `units` prints a path line only without `--to`. */
const format = /^(?:# \/.*\n)?(# Made by `ibsr-export units`(?: for (.*))?\n)# Checksum ([0-9a-f]{12}):.*\n/

const checksum = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 12)

/** Puts the marker before `body`. `identity`: undefined for a file that does not depend on the flags of a job. */
export const mark = (identity: string | undefined, body: string): string => {
  const line = `${first}${identity === undefined ? "" : ` for ${identity}`}\n`
  return `${line}# Checksum ${checksum(line + body)}: once this file is changed, \`units\` does not replace it.\n${body}`
}

const read = (text: string) => {
  const [marker, line, identity, sum] = format.exec(text) ?? []
  return marker === undefined || line === undefined
    ? undefined
    : { identity, isChanged: sum !== checksum(line + text.slice(marker.length)) }
}

/** Whether `units` made the file, even if it was changed later. */
export const isMarked = (text: string): boolean => read(text) !== undefined

/**
 * Decides whether to write the file, or returns why an existing file must not be replaced:
 *
 * | the existing file                         | an example | any other |
 * | ----------------------------------------- | ---------- | --------- |
 * | does not exist, or has the same text      | write      | write     |
 * | was made for the same job, or for any job | write      | write     |
 * | was made for another job                  |            | refused   |
 * | was changed since, or has no marker       | keep       | refused   |
 */
export const decide = (existing: string | undefined, file: File): Either.Either<"write" | "keep", string> => {
  if (existing === undefined || existing === file.text) return Either.right("write")
  const found = read(existing)
  if (found === undefined || found.isChanged) {
    if (file.isExample) return Either.right("keep")
    return Either.left(found === undefined ? "was not made by `units`" : "was changed after `units` had made it")
  }
  const wanted = read(file.text)?.identity
  return found.identity === undefined || found.identity === wanted
    ? Either.right("write")
    : Either.left(`belongs to another job (${found.identity})`)
}
