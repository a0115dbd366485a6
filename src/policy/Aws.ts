/** An IAM policy. */
import type { Options } from "./Policy.ts"
import * as Statements from "./Statements.ts"

export const text = (options: Options): string => {
  const partition = Statements.partitionOf(options.region)
  const encryption = options.sse === "kms" ? [Statements.kms(options.kmsKeyId, partition)] : []
  return Statements.document([Statements.s3(options, Statements.objectsBelow(options, partition)), ...encryption])
}
