/** The SDK's client: whom it talks to, as whom, and what of the SDK's own behaviour is switched off. */
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3"
import { Effect } from "effect"
import type { Env } from "../../../domain/Env.ts"
import { ConfigError, type StoreError } from "../../../domain/Errors.ts"
import type { Target } from "../../../domain/Settings.ts"
import * as Credentials from "./Credentials.ts"
import { storeError } from "./Errors.ts"
import * as Network from "./Network.ts"
import * as Profiles from "./Profiles.ts"
import * as Providers from "./Providers.ts"
import * as RequestHandler from "./RequestHandler.ts"

/** Until the scope ends. Nothing is asked yet of anybody but the host's own files. */
export const connect = (target: Target & Network.Options, env: Env) =>
  Effect.gen(function* () {
    const problem = unsupported(target.bucket)
    if (problem !== undefined) return yield* new ConfigError(problem)
    const profile = yield* Profiles.settings(target.profile, env)
    const { handler, http } = yield* Network.connect(target, env, profile["ca_bundle"])
    const credentials = Credentials.renewing(
      Credentials.provider(target, {
        env,
        profile: target.profile,
        // the second attempt is for a clock that the first has corrected
        clientConfig: { requestHandler: handler, maxAttempts: 2 }
      })
    )
    const config: S3ClientConfig = {
      ...(target.profile === undefined ? {} : { profile: target.profile }),
      ...endpoint(target, profile["region"]),
      credentials: credentials.provider,
      requestHandler: RequestHandler.make(http),
      // where the AWS CLI reads it
      useAccelerateEndpoint: profile["s3.use_accelerate_endpoint"] === "true",
      // who retries, and when, is decided in one place: `Patience`
      maxAttempts: 1,
      // the adapter brings its own checksum, or none; the SDK would add a trailer to a stream
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      // a body is at most a part, and many a proxy never says that it may be sent
      expectContinueHeader: false
    }
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => new S3Client(config)),
      (client) => Effect.sync(() => client.destroy())
    )
    return { client, credentials, http }
  })

/**
 * Directory buckets, also behind access points of theirs, want each request signed for a session; what leads to buckets
 * of several regions wants another kind of signature. Sources: "Directory bucket naming rules" and "Multi-Region Access
 * Points" in the Amazon S3 User Guide.
 */
const unsupported = (bucket: string) => {
  if (/--xa?-s3$/.test(bucket)) {
    return {
      detail: `${bucket} is a directory bucket (S3 Express One Zone)`,
      advice: "give --bucket a general purpose bucket: a directory bucket takes more than s3:PutObject"
    }
  }
  return /^arn:.*\.mrap$/.test(bucket)
    ? {
        detail: `${bucket} is a Multi-Region Access Point`,
        advice: "give --bucket one of its buckets, or an access point of one region"
      }
    : undefined
}

const endpoint = (target: Target, profileRegion: string | undefined): S3ClientConfig => {
  const { defaultRegion, pathStyle } = Providers.of(target.endpoint)
  // if there is none, the SDK asks the instance for its own, which says nothing of another provider's store
  const region = target.region ?? profileRegion ?? defaultRegion
  return {
    ...(target.endpoint === undefined
      ? {}
      : { endpoint: target.endpoint.href, forcePathStyle: target.forcePathStyle || pathStyle }),
    ...(region === undefined ? {} : { region })
  }
}

/** Region and credentials, resolved once before anything is sent. */
export const ready = (client: S3Client, target: Target): Effect.Effect<void, StoreError | ConfigError> =>
  Effect.zipRight(resolveRegion(client, target), resolveCredentials(client))

const resolveRegion = (client: S3Client, target: Target) =>
  Effect.tryPromise({
    try: () => client.config.region(),
    catch: (cause) =>
      new ConfigError({
        detail: target.region === undefined ? "no region" : `no region can be called '${target.region}'`,
        advice: "give --region, set AWS_REGION, or put one into the profile",
        cause
      })
  })

const resolveCredentials = (client: S3Client): Effect.Effect<unknown, StoreError> =>
  Effect.tryPromise({
    try: () => client.config.credentials(),
    catch: (cause) => storeError("credentials", cause)
  })
