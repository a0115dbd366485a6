/** The flags that `check` has besides those of `s3`. */
import * as Flag from "./Flag.ts"

export const checkFlags = {
  noCanary: Flag.toggle({
    name: "no-canary",
    group: "Check",
    description: "store no object; only create and abort a multipart upload",
    env: []
  })
}
