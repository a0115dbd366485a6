/** The flags of `verify`, in the order of `--help`. */
import * as Flag from "./Flag.ts"
import { output, s3Flags } from "./S3Flags.ts"
import * as Values from "./Values.ts"

/** Heading in `--help`. */
const what = "What is verified"

export const verifyFlags = {
  source: Flag.required({
    name: "source",
    operands: true,
    group: what,
    value: "PATH|URL",
    env: [],
    description: "a directory with copied objects, or s3://BUCKET/PREFIX; --source itself may be left out",
    parse: Values.directory
  }),
  withoutManifest: Flag.toggle({
    name: "without-manifest",
    group: what,
    env: [],
    description: "accept directories without a manifest: look only for holes, torn lines and damaged compression"
  }),
  endpoint: s3Flags.endpoint,
  region: s3Flags.region,
  forcePathStyle: s3Flags.forcePathStyle,
  profile: s3Flags.profile,
  assumeRoleArn: s3Flags.assumeRoleArn,
  assumeRoleSessionName: s3Flags.assumeRoleSessionName,
  timeout: s3Flags.timeout,
  outputFormat: Flag.withDefault({
    name: "output",
    group: output,
    value: "FORMAT",
    description: "format of the result on stdout: text or json",
    default: "text",
    parse: Values.choice("text", "json")
  })
}
