/**
 * A lifecycle rule that aborts unfinished multipart uploads. Without the rule, parts that the host may not abort stay
 * in the bucket: they are invisible, but cost money. Source: PutBucketLifecycleConfiguration in the Amazon S3 API
 * Reference.
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
