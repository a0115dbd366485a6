/** Builds the SDK's client: sets its endpoint and credentials, and switches off some of its own behaviour. */
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3"
import { HttpRequest } from "@smithy/core/protocols"
import { Effect } from "effect"
import type { Env } from "../../../domain/Env.ts"
import { ConfigError, type StoreError } from "../../../domain/Errors.ts"
import * as Providers from "../../../domain/Providers.ts"
import type { Target } from "../../../domain/Settings.ts"
import * as CredentialProcess from "./CredentialProcess.ts"
import * as Credentials from "./Credentials.ts"
import { storeError } from "./Errors.ts"
import * as Network from "./Network.ts"
import * as Profiles from "./Profiles.ts"
import * as RequestHandler from "./RequestHandler.ts"
import * as StoreClock from "./StoreClock.ts"

/** Makes the client, which lasts until the scope closes. Reads files of this host, and sends nothing. */
export const connect = (target: Target & Network.Options, env: Env) =>
  Effect.gen(function* () {
    const problem = unsupported(target.bucket) ?? containsBucket(target)
    if (problem !== undefined) return yield* new ConfigError(problem)
    const profile = yield* Profiles.settings(target.profile, env)
    const { handler, http, routeTo } = yield* Network.connect(target, env, profile["ca_bundle"])
    yield* CredentialProcess.use
    const named = target.profile === undefined ? {} : { profile: target.profile }
    let credentialOrigin = target.assumeRoleArn === undefined ? undefined : `the role ${target.assumeRoleArn}`
    const credentials = Credentials.renewing(
      Credentials.provider(target, {
        env,
        profile: target.profile,
        onAnswer: (origin) => (credentialOrigin ??= origin),
        // after a refusal for clock skew, the second attempt succeeds with the corrected clock
        clientConfig: { requestHandler: handler, maxAttempts: 2, ...named }
      })
    )
    const clock = StoreClock.make()
    const config: S3ClientConfig = {
      ...named,
      ...endpoint(target),
      credentials: credentials.provider,
      requestHandler: RequestHandler.make(http, clock),
      // the AWS CLI reads the session name from the same variable
      useAccelerateEndpoint: profile["s3.use_accelerate_endpoint"] === "true",
      // no retries here, because `Requests/Retry` alone decides what is retried
      maxAttempts: 1,
      // the adapter computes checksums itself; the SDK would add a trailer to a stream
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      // never waits for 100 Continue, because some proxies never send it, and a body is never larger than a part
      expectContinueHeader: false
    }
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => withoutExtras(new S3Client(config))),
      (s3) => Effect.sync(() => s3.destroy())
    )
    StoreClock.use(client, clock)
    return {
      client,
      clock,
      config,
      credentials,
      credentialOrigin: () => credentialOrigin,
      handler,
      http,
      profile,
      routeTo
    }
  })

/**
 * Before a request is signed, removes everything that S3 does not need: the parameter `x-id`, with which Google Cloud
 * Storage refuses the signature, and headers that describe the SDK and its retries.
 */
export const withoutExtras = (client: S3Client) => {
  client.middlewareStack.addRelativeTo(
    <Arguments extends { readonly request: unknown }, Output>(next: (args: Arguments) => Output) =>
      (args: Arguments) => {
        const { request } = args
        if (HttpRequest.isInstance(request)) {
          delete request.query["x-id"]
          for (const name of sdkHeaders) delete request.headers[name]
        }
        return next(args)
      },
    { name: "withoutExtras", relation: "before", toMiddleware: "httpSigningMiddleware" }
  )
  return client
}

const sdkHeaders = ["amz-sdk-invocation-id", "amz-sdk-request", "x-amz-user-agent"]

/**
 * Directory buckets and their access points require a session for each request. Multi-Region Access Points require
 * another kind of signature. Sources: "Directory bucket naming rules" and "Multi-Region Access Points" in the Amazon S3
 * User Guide.
 */
const unsupported = (bucket: string) => {
  if (/--xa?-s3$/.test(bucket)) {
    return {
      detail: `${bucket} is a directory bucket (S3 Express One Zone)`,
      advice: "give --bucket a general purpose bucket: a directory bucket requires more than s3:PutObject"
    }
  }
  return /^arn:.*\.mrap$/.test(bucket)
    ? {
        detail: `${bucket} is a Multi-Region Access Point`,
        advice: "give --bucket one of its buckets, or an access point in one region"
      }
    : undefined
}

/**
 * The problem of an endpoint that already contains the bucket's name; undefined if it does not. The SDK would add the
 * name again, to every key or to the host name.
 */
const containsBucket = ({ bucket, endpoint: url, forcePathStyle }: Target) => {
  if (url?.hostname.startsWith(`${bucket}.`) !== true || forcePathStyle === true) return undefined
  const without = url.origin.replace(`//${bucket}.`, "//")
  return {
    detail: `the endpoint ${url.origin} already contains the bucket ${bucket}`,
    advice: `give --endpoint ${without}; if the store's own name begins with ${bucket}, add --force-path-style`
  }
}

/**
 * Gives the SDK the endpoint that `ConfiguredTarget` found in the variables and the profile. Otherwise, the SDK would
 * read the endpoint of a different profile.
 */
const endpoint = ({ endpoint: url, forcePathStyle, region: given }: Target): S3ClientConfig => {
  // without a region, the SDK uses the EC2 instance's region, which is wrong for other providers
  const region = given ?? Providers.of(url).region
  return {
    ...(url === undefined
      ? { ignoreConfiguredEndpointUrls: true }
      : { endpoint: url.href, forcePathStyle: Providers.usesPathStyle(url, forcePathStyle) }),
    ...(region === undefined ? {} : { region })
  }
}

/** Resolves region and credentials, before anything is sent. */
export const ready = (client: S3Client, target: Target): Effect.Effect<void, StoreError | ConfigError> =>
  Effect.zipRight(resolveRegion(client, target), resolveCredentials(client))

export const resolveRegion = (client: S3Client, target: Target) =>
  Effect.tryPromise({
    try: () => client.config.region(),
    catch: (cause) =>
      new ConfigError({
        detail: target.region === undefined ? "no region" : `'${target.region}' cannot be the name of a region`,
        advice: "give --region, set AWS_REGION, or set region in the profile",
        cause
      })
  })

const resolveCredentials = (client: S3Client): Effect.Effect<unknown, StoreError> =>
  Effect.tryPromise({
    try: () => client.config.credentials(),
    catch: (cause) => storeError("credentials", cause)
  })
