/** Credentials that end, or are said to have ended, while a run goes on. */
import { describe, expect, it } from "vitest"
import type { Metadata } from "../../fakes/Metadata.ts"
import { report, run, s3 } from "../BuiltProgram.ts"
import {
  asPod,
  callers,
  tinyFiles,
  inContainer,
  startStoreForIssued,
  onInstance,
  roleArn,
  startMetadata,
  startSts,
  withSts
} from "../CredentialSources.ts"

const lifetimeMs = 3000

/** A store so slow that credentials of three seconds have to be renewed twice before it has all files. */
const slowly = async () => {
  const { identities, store } = await startStoreForIssued({ latencyMs: 500 })
  const args = s3(tinyFiles(9), store.endpoint, "--region=us-east-1", "--concurrency=1", "--max-retries=2")
  return { identities, store, args }
}

const expired = ({ requests }: { readonly requests: ReadonlyArray<{ readonly code: string | undefined }> }) =>
  requests.filter(({ code }) => code === "ExpiredToken").length

describe("credentials that end in the middle of a run", () => {
  it.each(["instance metadata", "--assume-role-arn"])(
    "are renewed before the store refuses them: %s",
    async (source) => {
      const { args, identities, store } = await slowly()
      const metadata = await startMetadata({ identities, lifetimeMs })
      const sts = await startSts({ identities, lifetimeMs })
      const result = await (source === "instance metadata"
        ? run(args, { env: onInstance(metadata) })
        : run([...args, "--assume-role-arn", roleArn], { env: withSts(sts) }))
      expect(result.code, result.stdout).toBe(0)
      expect(store.keys()).toHaveLength(9)
      expect(callers(store).length).toBeGreaterThan(2)
      expect(expired(store)).toBe(0)
    }
  )

  it("of a container are renewed with the token that is in its file by then", async () => {
    const { args, identities, store } = await slowly()
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

  it("of a pod are renewed with the web identity that is in its file by then", async () => {
    const { args, identities, store } = await slowly()
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

  it("serve on while their source is down, and are renewed when it is back", async () => {
    const { args, identities, store } = await slowly()
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
  /** From its third request on. */
  const refused = async (expire: (metadata: Metadata) => void, count: number, concurrency: number) => {
    const { identities, store } = await startStoreForIssued()
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
    return { store, metadata, ended: await run(args, { env: onInstance(metadata) }) }
  }

  it("are renewed once, and the request that was refused is sent again", async () => {
    const { ended: result, metadata, store } = await refused(({ issuer }) => issuer.expireAll(), 6, 1)
    expect(result.code, result.stdout).toBe(0)
    expect(store.keys()).toHaveLength(6)
    expect(metadata.issuer.issued).toHaveLength(2)
    expect(expired(store)).toBe(1)
  })

  it("are renewed once for all requests in flight", async () => {
    const { ended: result, metadata, store } = await refused(({ issuer }) => issuer.expireAll(), 40, 8)
    expect(result.code, result.stdout).toBe(0)
    expect(store.keys()).toHaveLength(40)
    expect(metadata.issuer.issued).toHaveLength(2)
  })

  it("end the run where their source has no others", async () => {
    const keep = ({ issuer }: Metadata) => {
      issuer.rotate = false
      for (const identity of issuer.identities) identity.expired = true
    }
    const { ended: result, store } = await refused(keep, 6, 1)
    expect(result.code, result.stdout).toBe(21)
    expect(report(result).result.endedBy?.hint).toContain("renew")
    expect(expired(store)).toBeLessThanOrEqual(2)
  })
})
