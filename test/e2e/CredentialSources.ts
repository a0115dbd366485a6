/** Where the built program may get credentials from, besides its environment; started for one test, and ended after it. */
import { renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach } from "vitest"
import { Metadata, type MetadataOptions } from "../fakes/Metadata.ts"
import type { Identity, StrictS3, StrictS3Options } from "../fakes/StrictS3.ts"
import { Sts, type StsOptions } from "../fakes/Sts.ts"
import { tree } from "../fixtures/Tree.ts"
import { s3 } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

interface Stoppable {
  readonly stop: () => Promise<void>
}

const running: Array<Stoppable> = []

/** Ends it after the test. */
export const stopAfterTest = <A extends Stoppable>(server: A): A => {
  running.push(server)
  return server
}

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

/** Takes the put-only user's own keys away, so that another source has to be asked; and lets the program tell all. */
export const withoutKeys = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  IBSR_EXPORT_VERBOSE: "true"
}

/** A store that accepts what the sources of one test issue, and nothing else. */
export const startStoreForIssued = async (options: StrictS3Options = {}) => {
  const identities: Identity[] = []
  const store = await startStore({ ...options, identities })
  const args = (...flags: ReadonlyArray<string>) => s3(oneFile(), store.endpoint, "--region=us-east-1", ...flags)
  return { store, identities, args }
}

/** An input of one file. */
export const oneFile = () => tree({ "a.jsonl": '{"a":1}\n' })

/** An input of so many files of a few bytes. */
export const tinyFiles = (count: number) =>
  tree(Object.fromEntries(Array.from({ length: count }, (_, at) => [`${at}.jsonl`, `{"at":${at}}\n`])))

export const startMetadata = async (options: MetadataOptions) => stopAfterTest(await Metadata.start(options))

export const startSts = async (options: StsOptions) => stopAfterTest(await Sts.start(options))

/** A host whose instance has a role. */
export const onInstance = ({ url }: { readonly url: string }) => ({
  ...withoutKeys,
  AWS_EC2_METADATA_DISABLED: undefined,
  AWS_EC2_METADATA_SERVICE_ENDPOINT: url
})

/** In one step, as those do who rotate tokens: whoever reads it meanwhile finds a whole one. */
const replaceFile = (file: string, content: string) => {
  writeFileSync(`${file}.new`, content)
  renameSync(`${file}.new`, file)
}

/** A container that is given a file with its token, which may change. */
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

/** STS where the host may find it. */
export const withSts = ({ url }: { readonly url: string }) => ({
  AWS_ENDPOINT_URL_STS: url,
  AWS_REGION: "us-east-1"
})

/** A pod that is given a file with its web identity, which may change, and the role that it stands for. */
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

/** A home directory with this in `~/.aws/config`. */
export const withConfig = (config: string, more: Readonly<Record<string, string>> = {}) => ({
  ...withoutKeys,
  HOME: tree({ ".aws/config": config, ...more })
})

/** Whom the store has recognised, in order, each once. */
export const callers = (store: StrictS3) => [
  ...new Set(store.requests.map(({ identity }) => identity).filter((identity) => identity !== undefined))
]
