import { execFileSync } from "node:child_process"
import process from "node:process"

/** The date of the packaged commit. SOURCE_DATE_EPOCH, in seconds since 1970, replaces it where git is missing. */
export const date = (): Date => {
  const epoch = process.env["SOURCE_DATE_EPOCH"]
  const seconds = epoch ?? execFileSync("git", ["log", "-1", "--format=%ct"], { encoding: "utf8" })
  return new Date(Number(seconds) * 1000)
}
