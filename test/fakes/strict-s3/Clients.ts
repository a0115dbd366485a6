import { S3Client, type S3ClientConfig, S3ServiceException } from "@aws-sdk/client-s3"
import type { RawClient } from "./RawRequest.ts"

/** The SDK's client for a test server: it sends each request once, and uses path-style addresses. */
export const sdkClient = (server: RawClient, config: S3ClientConfig = {}): S3Client =>
  new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
    forcePathStyle: true,
    maxAttempts: 1,
    ...config
  })

/** The outcome of an SDK call: "200", "403 AccessDenied". The answer to HEAD has no body for an error code. */
export const statusOf = async (call: Promise<{ $metadata: { httpStatusCode?: number } }>): Promise<string> => {
  try {
    const answer = await call
    return String(answer.$metadata.httpStatusCode)
  } catch (error) {
    if (error instanceof S3ServiceException) return `${error.$metadata.httpStatusCode} ${error.name}`
    throw error
  }
}
