/** The flags that `policy` has besides those of `s3`. */
import * as Policy from "../../policy/Policy.ts"
import * as Flag from "./Flag.ts"
import * as Values from "./Values.ts"

const group = "Policy"

export const policyFlags = {
  kind: Flag.required({
    name: "for",
    group,
    value: "STORE",
    description: `${Policy.names.slice(0, -1).join(", ")}, or ${Policy.names.at(-1)}`,
    env: [],
    parse: Values.choice(...Policy.names)
  }),
  abort: Flag.toggle({
    name: "abort",
    group,
    description: "also allow the host to abort multipart uploads that no run will resume",
    env: []
  })
}
