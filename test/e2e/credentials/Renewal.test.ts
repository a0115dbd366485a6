/** Credentials that expire during a run, or that the store reports as expired. */
import { describe, expect, it } from "vitest"
import type { Metadata } from "../../fakes/Metadata.ts"
import { report, run, s3 } from "../BuiltProgram.ts"
import {
  asPod,
  callers,
  inContainer,
  onInstance,
  roleArn,
  startMetadata,
  startStoreForIssuedKeys,
  startSts,
  tinyFiles,
  withSts
} from "../CredentialSources.ts"

const lifetimeMs = 3000

/**
 * Starts a store that is so slow that credentials valid for three seconds need two renewals before all files are
 * stored.
 */
const startSlowStore = async () => {
  const { identities, store } = await startStoreForIssuedKeys({ latencyMs: 500 })
  const args = s3(tinyFiles(9), store.endpoint, "--region=us-east-1", "--concurrency=1", "--max-retries=2")
  return { identities, store, args }
}

const expiredRequests = ({ requests }: { readonly requests: ReadonlyArray<{ readonly code: string | undefined }> }) =>
  requests.filter(({ code }) => code === "ExpiredToken").length

describe("credentials that expire during a run", () => {
  it.each(["instance metadata", "--assume-role-arn"])(
    "are renewed before the store refuses them: %s",
    async (source) => {
      const { args, identities, store } = await startSlowStore()
      const metadata = await startMetadata({ identities, lifetimeMs })
      const sts = await startSts({ identities, lifetimeMs })
      const result = await (source === "instance metadata"
        ? run(args, { env: onInstance(metadata) })
        : run([...args, "--assume-role-arn", roleArn], { env: withSts(sts) }))
      expect(result.code, result.stdout).toBe(0)
      expect(store.keys()).toHaveLength(9)
      expect(callers(store).length).toBeGreaterThan(2)
      expect(expiredRequests(store)).toBe(0)
    }
  )

  it("are renewed with a container's rotated token", async () => {
    const { args, identities, store } = await startSlowStore()
    const metadata = await startMetadata({ identities, lifetimeMs })
    const { env, rotate } = inContainer(metadata)
    store.fault = () => {
      rotate("second")
      return undefined
    }
    const result = await run(args, { env })
    expect(result.code, result.stdout).toBe(0)
    expect([...new Set(metadata.requests.map(({ authorization }) => authorization))]).toEqual(["first", "second"])
    expect(callers(store).length).toBeGreaterThan(2)
  })

  it("are renewed with a pod's rotated web identity", async () => {
    const { args, identities, store } = await startSlowStore()
    const sts = await startSts({ identities, lifetimeMs })
    const { env, rotate } = asPod(sts)
    store.fault = () => {
      rotate("second")
      return undefined
    }
    const result = await run(args, { env })
    expect(result.code, result.stdout).toBe(0)
    expect([...new Set(sts.requests.map(({ webIdentityToken }) => webIdentityToken))]).toEqual(["first", "second"])
    expect(callers(store).length).toBeGreaterThan(2)
  })

  it("stay in use while their source is down, and are renewed when it is back", async () => {
    const { args, identities, store } = await startSlowStore()
    const metadata = await startMetadata({ identities, lifetimeMs })
    const hasFailed = () => metadata.requests.some(({ status }) => status === 503)
    store.fault = () => {
      metadata.behaviour.failures = hasFailed() ? 0 : 100
      return undefined
    }
    const result = await run(args, { env: onInstance(metadata) })
    expect(result.code, result.stdout).toBe(0)
    expect(hasFailed()).toBe(true)
    expect(store.keys()).toHaveLength(9)
    expect(callers(store).length).toBeGreaterThan(1)
  })
})

describe("credentials that the store calls expired", () => {
  /** Uploads files with the credentials of an instance, and expires these at the third request. */
  const uploadAndExpire = async (expire: (metadata: Metadata) => void, count: number, concurrency: number) => {
    const { identities, store } = await startStoreForIssuedKeys()
    const metadata = await startMetadata({ identities })
    store.fault = () => {
      if (store.requests.length === 3) expire(metadata)
      return undefined
    }
    const args = s3(
      tinyFiles(count),
      store.endpoint,
      "--region=us-east-1",
      `--concurrency=${concurrency}`,
      "--output=json"
    )
    return { store, metadata, result: await run(args, { env: onInstance(metadata) }) }
  }

  it("are renewed once, and the rejected request is sent again", async () => {
    const { metadata, result, store } = await uploadAndExpire(({ issuer }) => issuer.expireAll(), 6, 1)
    expect(result.code, result.stdout).toBe(0)
    expect(store.keys()).toHaveLength(6)
    expect(metadata.issuer.issued).toHaveLength(2)
    expect(expiredRequests(store)).toBe(1)
  })

  it("are renewed once for all requests in flight", async () => {
    const { metadata, result, store } = await uploadAndExpire(({ issuer }) => issuer.expireAll(), 40, 8)
    expect(result.code, result.stdout).toBe(0)
    expect(store.keys()).toHaveLength(40)
    expect(metadata.issuer.issued).toHaveLength(2)
  })

  it("end the run when their source returns the same credentials again", async () => {
    const expireWithoutReplacement = ({ issuer }: Metadata) => {
      issuer.rotate = false
      for (const identity of issuer.identities) identity.expired = true
    }
    const { result, store } = await uploadAndExpire(expireWithoutReplacement, 6, 1)
    expect(result.code, result.stdout).toBe(21)
    expect(report(result).result.endedBy?.hint).toContain("renew")
    expect(expiredRequests(store)).toBeLessThanOrEqual(2)
  })
})
