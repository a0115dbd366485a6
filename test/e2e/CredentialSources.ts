/** Sources of credentials other than environment variables, each for one test. */
import { renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Metadata, type MetadataOptions } from "../fakes/Metadata.ts"
import type { Identity, StrictS3, StrictS3Options } from "../../scripts/strict-s3/StrictS3.ts"
import { Sts, type StsOptions } from "../fakes/Sts.ts"
import { tree } from "../fixtures/Tree.ts"
import { s3 } from "./BuiltProgram.ts"
import { stopAfterTest } from "./StopAfterTest.ts"
import { startStore } from "./Store.ts"

/** Removes the put-only user's keys, so that the program must ask another source, and makes the log verbose. */
export const withoutKeys = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  IBSR_EXPORT_VERBOSE: "true"
}

/** A store that accepts only credentials that the sources of this test issue. */
export const startStoreForIssuedKeys = async (options: StrictS3Options = {}) => {
  const identities: Identity[] = []
  const store = await startStore({ ...options, identities })
  const args = (...flags: ReadonlyArray<string>) => s3(oneFile(), store.endpoint, "--region=us-east-1", ...flags)
  return { store, identities, args }
}

/** An input of one file. */
export const oneFile = () => tree({ "a.jsonl": '{"a":1}\n' })

/** An input of files of a few bytes each. */
export const tinyFiles = (count: number) =>
  tree(Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}.jsonl`, `{"index":${index}}\n`])))

export const startMetadata = async (options: MetadataOptions) => stopAfterTest(await Metadata.start(options))

export const startSts = async (options: StsOptions) => stopAfterTest(await Sts.start(options))

/** The environment on an EC2 instance with a role. */
export const onInstance = ({ url }: { readonly url: string }) => ({
  ...withoutKeys,
  AWS_EC2_METADATA_DISABLED: undefined,
  AWS_EC2_METADATA_SERVICE_ENDPOINT: url
})

/** Replaces a file atomically, as a token's rotation does: a reader finds either the old or the new token. */
const replaceFile = (file: string, content: string) => {
  writeFileSync(`${file}.new`, content)
  renameSync(`${file}.new`, file)
}

/** The environment in a container with a token file, and a function that rotates the token. */
export const inContainer = (metadata: Metadata) => {
  const file = join(tree({}), "token")
  const rotate = (token: string) => {
    metadata.containerToken = token
    replaceFile(file, token)
  }
  rotate("first")
  const env = {
    ...withoutKeys,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: metadata.containerUrl,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file
  }
  return { env, rotate }
}

export const roleArn = "arn:aws:iam::123456789012:role/export"

/** The environment that leads to this STS. */
export const withSts = ({ url }: { readonly url: string }) => ({
  AWS_ENDPOINT_URL_STS: url,
  AWS_REGION: "us-east-1"
})

/** The environment in a pod with a web identity file and its role, and a function that rotates the token. */
export const asPod = (sts: Sts) => {
  const file = join(tree({}), "token")
  const rotate = (token: string) => {
    sts.webIdentityToken = token
    replaceFile(file, token)
  }
  rotate("first")
  const env = {
    ...withoutKeys,
    ...withSts(sts),
    AWS_WEB_IDENTITY_TOKEN_FILE: file,
    AWS_ROLE_ARN: roleArn,
    AWS_ROLE_SESSION_NAME: "pod-4"
  }
  return { env, rotate }
}

/** The environment with a home directory that has this `~/.aws/config`. */
export const withConfig = (config: string, more: Readonly<Record<string, string>> = {}) => ({
  ...withoutKeys,
  HOME: tree({ ".aws/config": config, ...more })
})

/** The distinct identities that the store recognised, in the order of their first request. */
export const callers = (store: StrictS3) => [
  ...new Set(store.requests.map(({ identity }) => identity).filter((identity) => identity !== undefined))
]
