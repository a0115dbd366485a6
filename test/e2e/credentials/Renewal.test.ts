/** Credentials that end, or are said to have ended, while a run goes on. */
import { describe, expect, it } from "vitest"
import type { Metadata } from "../../fakes/Metadata.ts"
import { report, run, s3 } from "../Program.ts"
import {
  asPod,
  callers,
  files,
  inContainer,
  issuing,
  onInstance,
  roleArn,
  startMetadata,
  startSts,
  withSts
} from "../Sources.ts"

const lifetimeMs = 3000

/** A store so slow that credentials of three seconds have to be renewed twice before it has all files. */
const slowly = async () => {
  const { identities, store } = await issuing({ latencyMs: 500 })
  const args = s3(files(9), store.endpoint, "--region=us-east-1", "--concurrency=1", "--max-retries=2")
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
      const ended = await (source === "instance metadata"
        ? run(args, { env: onInstance(metadata) })
        : run([...args, "--assume-role-arn", roleArn], { env: withSts(sts) }))
      expect(ended.code, ended.stdout).toBe(0)
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
    const ended = await run(args, { env })
    expect(ended.code, ended.stdout).toBe(0)
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
    const ended = await run(args, { env })
    expect(ended.code, ended.stdout).toBe(0)
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
    const ended = await run(args, { env: onInstance(metadata) })
    expect(ended.code, ended.stdout).toBe(0)
    expect(hasFailed()).toBe(true)
    expect(store.keys()).toHaveLength(9)
    expect(callers(store).length).toBeGreaterThan(1)
  })
})

describe("credentials that the store calls expired", () => {
  /** From its third request on. */
  const refused = async (expire: (metadata: Metadata) => void, count: number, concurrency: number) => {
    const { identities, store } = await issuing()
    const metadata = await startMetadata({ identities })
    store.fault = () => {
      if (store.requests.length === 3) expire(metadata)
      return undefined
    }
    const args = s3(files(count), store.endpoint, "--region=us-east-1", `--concurrency=${concurrency}`, "--output=json")
    return { store, metadata, ended: await run(args, { env: onInstance(metadata) }) }
  }

  it("are renewed once, and the request that was refused is sent again", async () => {
    const { ended, metadata, store } = await refused(({ issuer }) => issuer.expireAll(), 6, 1)
    expect(ended.code, ended.stdout).toBe(0)
    expect(store.keys()).toHaveLength(6)
    expect(metadata.issuer.issued).toHaveLength(2)
    expect(expired(store)).toBe(1)
  })

  it("are renewed once for all requests in flight", async () => {
    const { ended, metadata, store } = await refused(({ issuer }) => issuer.expireAll(), 40, 8)
    expect(ended.code, ended.stdout).toBe(0)
    expect(store.keys()).toHaveLength(40)
    expect(metadata.issuer.issued).toHaveLength(2)
  })

  it("end the run where their source has no others", async () => {
    const keep = ({ issuer }: Metadata) => {
      issuer.rotate = false
      for (const identity of issuer.identities) identity.expired = true
    }
    const { ended, store } = await refused(keep, 6, 1)
    expect(ended.code, ended.stdout).toBe(21)
    expect(report(ended).result.endedBy?.hint).toContain("renew")
    expect(expired(store)).toBeLessThanOrEqual(2)
  })
})
