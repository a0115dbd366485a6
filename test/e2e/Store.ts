import { afterEach, expect } from "vitest"
import { StrictS3, type StrictS3Options } from "../../scripts/strict-s3/StrictS3.ts"

const permitted = new Set([
  "PutObject",
  "CreateMultipartUpload",
  "UploadPart",
  "CompleteMultipartUpload",
  "AbortMultipartUpload"
])

const running: Array<StrictS3> = []

/** Starts a strict store for one test. The test must not run concurrently: the first to end stops all stores. */
export const startStore = async (options?: StrictS3Options): Promise<StrictS3> => {
  const store = await StrictS3.start(options)
  running.push(store)
  return store
}

/** Stops a store. Fails if it received anything but PutObject and multipart requests. */
export const stopStore = async (store: StrictS3): Promise<void> => {
  await store.stop()
  const forbidden = store.requests.filter(({ operation }) => !permitted.has(operation))
  expect(forbidden.map(({ method, path }) => `${method} ${path}`)).toEqual([])
}

afterEach(async () => {
  for (const store of running.splice(0)) await stopStore(store)
})
