import { execFileSync } from "node:child_process"
import process from "node:process"

/** Of the commit that is packed; SOURCE_DATE_EPOCH says it where there is no git, in seconds since 1970. */
export const date = (): Date => {
  const given = process.env["SOURCE_DATE_EPOCH"]
  const seconds = given ?? execFileSync("git", ["log", "-1", "--format=%ct"], { encoding: "utf8" })
  return new Date(Number(seconds) * 1000)
}
