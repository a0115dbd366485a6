/** The SDK's client: whom it talks to, as whom, and what of the SDK's own behaviour is switched off. */
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3"
import { fromTemporaryCredentials } from "@aws-sdk/credential-providers"
import { getProfileName, parseKnownFiles } from "@smithy/core/config"
import { Duration, Effect } from "effect"
import { isIP } from "node:net"
import { ConfigError, type StoreError } from "../../domain/Errors.ts"
import type { Settings, Target } from "../../domain/Settings.ts"
import { storeError } from "./S3Errors.ts"

/** A host that takes longer to accept a connection is not there; the kernel's own patience is two minutes. */
const connectTimeout = Duration.seconds(10)
/** A connection on which nothing moves for so long is dead. */
const idleTimeout = Duration.seconds(30)

/** Stores other than AWS take any region, but the signature must name one. */
const regionElsewhere = "us-east-1"

export const make = (options: Pick<Settings, "target" | "concurrency" | "timeout">): S3Client => {
  const { target } = options
  const agent = { keepAlive: true, maxSockets: options.concurrency.most }
  const profile = target.profile === undefined ? {} : { profile: target.profile }
  return new S3Client({
    ...profile,
    ...endpoint(target, profile),
    ...(target.assumeRole === undefined ? {} : { credentials: assumed(target.assumeRole, profile) }),
    // who retries, and when, is decided in one place: `Patience`
    maxAttempts: 1,
    // the adapter brings its own checksum, or none; the SDK would add a trailer to a stream
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: Duration.toMillis(Duration.min(connectTimeout, options.timeout)),
      socketTimeout: Duration.toMillis(Duration.min(idleTimeout, options.timeout)),
      requestTimeout: Duration.toMillis(options.timeout),
      // without it the SDK only logs a warning, and waits on
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent
    }
  })
}

type Profile = Pick<S3ClientConfig, "profile">

const endpoint = (target: Target, profile: Profile): S3ClientConfig => {
  if (target.endpoint === undefined) return target.region === undefined ? {} : { region: target.region }
  return {
    endpoint: target.endpoint.href,
    forcePathStyle: target.forcePathStyle ?? isPlainHost(target.endpoint.hostname),
    region: target.region ?? configuredRegion(profile)
  }
}

/** The SDK asks for the region with every request; looking for it takes longer than all else that a request does. */
const configuredRegion = (profile: Profile) => {
  let region: Promise<string> | undefined
  return () => (region ??= new S3Client(profile).config.region().catch(() => regionElsewhere))
}

/** A host without subdomains, so that the bucket cannot be one. */
const isPlainHost = (hostname: string) => hostname === "localhost" || isIP(hostname.replace(/^\[|\]$/g, "")) !== 0

const assumed = (role: NonNullable<Target["assumeRole"]>, profile: Profile) =>
  fromTemporaryCredentials({
    params: { RoleArn: role.arn, RoleSessionName: role.sessionName },
    clientConfig: { ...profile, maxAttempts: 1 }
  })

/** Region and credentials, resolved once before anything is sent. */
export const ready = (client: S3Client, target: Target): Effect.Effect<void, StoreError | ConfigError> =>
  Effect.zipRight(knownProfile(target), Effect.zipRight(resolveRegion(client, target), resolveCredentials(client)))

/** The SDK takes a profile that does not exist for one without credentials, and goes on to the next source. */
const knownProfile = (target: Target) =>
  Effect.gen(function* () {
    const profile = getProfileName(target.profile === undefined ? {} : { profile: target.profile })
    const named = target.profile ?? process.env["AWS_PROFILE"]
    if (named === undefined || named === "") return
    const known = yield* Effect.tryPromise({
      try: () => parseKnownFiles({ profile }),
      catch: (cause) =>
        new ConfigError({
          detail: "the AWS configuration files cannot be read",
          advice:
            "check ~/.aws/config and ~/.aws/credentials, or where AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE point",
          cause
        })
    })
    if (!(profile in known)) {
      return yield* new ConfigError({
        detail: `the profile '${profile}' is in no AWS configuration file`,
        advice: "check --profile or AWS_PROFILE against ~/.aws/config and ~/.aws/credentials"
      })
    }
  })

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
