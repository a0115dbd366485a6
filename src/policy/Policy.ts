/**
 * The minimum permission that an upload with these settings needs, as a text to paste. There is one text for each value
 * of `policy --for`.
 */
import type { Settings } from "../domain/Settings.ts"
import * as Aws from "./Aws.ts"
import * as Ceph from "./Ceph.ts"
import * as Lifecycle from "./Lifecycle.ts"
import * as Minio from "./Minio.ts"
import * as R2 from "./R2.ts"
import * as Terraform from "./Terraform.ts"

export type Options = Pick<
  Settings,
  "acl" | "bucket" | "endpoint" | "kmsKeyId" | "prefix" | "region" | "sse" | "tags"
> & {
  /** Whether the host may also abort multipart uploads that no run will resume. */
  readonly abort: boolean
}

interface Kind {
  readonly purpose: string
  readonly text: (options: Options) => string
  /** Describes the settings that this kind of policy cannot express. Each is a sentence that names the flag. */
  readonly problems?: (options: Options) => ReadonlyArray<string>
}

export const kinds = {
  aws: { purpose: "IAM policy for a user or a role", text: Aws.text },
  minio: { purpose: "mc commands that create a policy and a user", text: Minio.text, problems: Minio.problems },
  r2: { purpose: "scope of an API token, and its limits", text: R2.text, problems: R2.problems },
  ceph: { purpose: "commands that create a user and a bucket policy", text: Ceph.text, problems: Ceph.problems },
  lifecycle: { purpose: "lifecycle rule that removes unfinished multipart uploads", text: Lifecycle.text },
  terraform: { purpose: "the IAM policy and the lifecycle rule for Terraform", text: Terraform.text }
} satisfies Readonly<Record<string, Kind>>

export type Name = keyof typeof kinds

export const names = Object.keys(kinds) as ReadonlyArray<Name>

export const problems = (name: Name, options: Options): ReadonlyArray<string> => {
  const kind: Kind = kinds[name]
  return kind.problems?.(options) ?? []
}
