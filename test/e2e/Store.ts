import { afterEach, expect } from "vitest"
import { StrictS3, type StrictS3Options } from "../fakes/StrictS3.ts"

const permitted = new Set([
  "PutObject",
  "CreateMultipartUpload",
  "UploadPart",
  "CompleteMultipartUpload",
  "AbortMultipartUpload"
])

const running: Array<StrictS3> = []

/** A strict server for one test, which must run alone: the first to end stops all that there are. */
export const startStore = async (options?: StrictS3Options): Promise<StrictS3> => {
  const store = await StrictS3.start(options)
  running.push(store)
  return store
}

/** Stops a server; its log must hold nothing but PutObject and the multipart calls. */
export const stopStore = async (store: StrictS3): Promise<void> => {
  await store.stop()
  const others = store.requests.filter(({ operation }) => !permitted.has(operation))
  expect(others.map(({ method, path }) => `${method} ${path}`)).toEqual([])
}

afterEach(async () => {
  for (const store of running.splice(0)) await stopStore(store)
})
