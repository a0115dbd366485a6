/**
 * A lifecycle rule that aborts multipart uploads which no run has completed. Without it, parts that the host may not abort
 * stay in the bucket, invisible but billed. Source: PutBucketLifecycleConfiguration in the Amazon S3 API Reference.
 */
import * as ObjectKey from "../domain/ObjectKey.ts"
import { maxIdleDays } from "../domain/Resumption.ts"
import type { Options } from "./Policy.ts"

export const id = "ibsr-export-abort-incomplete-uploads"

export const text = ({ prefix }: Pick<Options, "prefix">): string =>
  JSON.stringify(
    {
      Rules: [
        {
          ID: id,
          Status: "Enabled",
          Filter: { Prefix: ObjectKey.startOf(prefix) },
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: maxIdleDays }
        }
      ]
    },
    null,
    2
  )
