/** The IAM policy and the lifecycle rule as resources of Terraform's AWS provider. */
import * as ObjectKey from "../domain/ObjectKey.ts"
import { maxIdleDays } from "../domain/Resumption.ts"
import * as Aws from "./Aws.ts"
import * as Lifecycle from "./Lifecycle.ts"
import type { Options } from "./Policy.ts"

export const text = (options: Options): string => `resource "aws_iam_policy" "ibsr_export" {
  name = "ibsr-export"
  policy = <<-EOT
${indented(template(Aws.text(options)))}
  EOT
}

# A bucket has one resource of this kind: if yours exists, add the rule to it.
resource "aws_s3_bucket_lifecycle_configuration" "ibsr_export" {
  bucket = ${quoted(options.bucket)}

  rule {
    id     = "${Lifecycle.id}"
    status = "Enabled"

    filter {
      prefix = ${quoted(ObjectKey.startOf(options.prefix))}
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = ${maxIdleDays}
    }
  }
}`

/**
 * Escapes the characters that start an interpolation or a directive. Source: "Strings and Templates" in Terraform's
 * documentation.
 */
const template = (value: string) => value.replace(/[$%](?=\{)/g, "$&$&")

/** JSON's escapes that Terraform does not know, with their replacements. */
const otherEscapes = new Map([
  ["\\b", "\\u0008"],
  ["\\f", "\\u000c"]
])

const quoted = (value: string) =>
  template(JSON.stringify(value).replace(/\\./g, (escape) => otherEscapes.get(escape) ?? escape))

const indented = (value: string) => value.replace(/^/gm, "    ")
