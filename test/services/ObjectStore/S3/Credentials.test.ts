import { afterEach, beforeEach, describe, expect, it, vi } from "@effect/vitest"
import { chain, NoSource, renewing, SourceFailed } from "../../../../src/services/ObjectStore/S3/Credentials.ts"
import type { Provider, Source } from "../../../../src/services/ObjectStore/S3/CredentialSources.ts"

const identity = (name: string, lifeSeconds?: number) => ({
  accessKeyId: name,
  secretAccessKey: "secret",
  ...(lifeSeconds === undefined ? {} : { expiration: new Date(Date.now() + lifeSeconds * 1000) })
})

const source = (name: string, unavailable: string | undefined, provider: Provider): Source => ({
  name: () => name,
  origin: () => name,
  unavailable: async () => unavailable,
  provider: () => provider,
  attempts: 1,
  limitSeconds: 1
})
const asking = {} as Parameters<typeof chain>[0]

describe("Credentials.chain", () => {
  it("asks the first configured source", async () => {
    const links = [
      source("a", "is not set", async () => identity("A")),
      source("b", undefined, async () => identity("B"))
    ]
    expect(await chain(asking, links)()).toMatchObject({ accessKeyId: "B" })
  })

  it("does not switch to another identity if the configured source fails", async () => {
    const cause = new Error("down")
    const links = [
      source("a", undefined, () => Promise.reject(cause)),
      source("b", undefined, async () => identity("B"))
    ]
    const failure = await chain(asking, links)().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(SourceFailed)
    expect(failure).toMatchObject({ source: "a", cause })
  })

  it("asks a source again after a failure", async () => {
    const provider = vi.fn<Provider>(async () => identity("A"))
    provider.mockImplementationOnce(() => Promise.reject(new Error("down")))
    const late = { ...source("a", undefined, provider), attempts: 2 }
    expect(await chain(asking, [late])()).toMatchObject({ accessKeyId: "A" })
    expect(provider).toHaveBeenCalledTimes(2)
  })

  it("does not wait for a source longer than its limit", async () => {
    const hanging = { ...source("a", undefined, () => new Promise(() => {})), limitSeconds: 0.01 }
    const other = source("b", undefined, async () => identity("B"))
    await expect(chain(asking, [hanging, other])()).rejects.toMatchObject({
      source: "a",
      cause: { message: "no answer within 0.01 s" }
    })
  })

  it("reports why each source returned no credentials", async () => {
    const dead = () => Promise.reject(Object.assign(new Error("no"), { statusCode: 404 }))
    const failure = await chain(asking, [
      source("a", "A is not set", dead),
      source("metadata", undefined, dead)
    ])().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(NoSource)
    expect(failure).toMatchObject({ message: "a: A is not set; metadata: the instance has no role" })
  })
})

describe("Credentials.renewing", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: 0 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const after = (seconds: number) => vi.setSystemTime(seconds * 1000)

  it("asks only once for credentials that do not expire", async () => {
    const provider = vi.fn(async () => identity("A"))
    const kept = renewing(provider)
    await Promise.all([kept.provider(), kept.provider()])
    after(1_000_000)
    await kept.provider()
    expect(provider).toHaveBeenCalledTimes(1)
  })

  it.each([
    ["five minutes before a session of an hour expires", 3600, 3299, 3301],
    ["after half of a short session", 60, 29, 31]
  ])("renews %s", async (_, life, before, behind) => {
    let count = 0
    const kept = renewing(async () => identity(`A${++count}`, life))
    await kept.provider()
    after(before)
    expect(await kept.provider()).toMatchObject({ accessKeyId: "A1" })
    after(behind)
    expect(await kept.provider(), "the present session serves meanwhile").toMatchObject({ accessKeyId: "A1" })
    expect(await kept.provider()).toMatchObject({ accessKeyId: "A2" })
  })

  it("keeps a session while the source is down, and asks again after ten seconds", async () => {
    const provider = vi.fn<Provider>(async () => identity("A", 3600))
    const kept = renewing(provider)
    await kept.provider()
    provider.mockImplementation(() => Promise.reject(new Error("down")))
    after(3400)
    expect(await kept.provider()).toMatchObject({ accessKeyId: "A" })
    after(3409)
    await kept.provider()
    expect(provider).toHaveBeenCalledTimes(2)
    provider.mockImplementation(async () => identity("B", 3600))
    after(3411)
    await kept.provider()
    expect(await kept.provider()).toMatchObject({ accessKeyId: "B" })
  })

  it("waits for a hanging source only once the session has expired", async () => {
    let answer: (identity: Awaited<ReturnType<Provider>>) => void = () => {}
    const provider = vi.fn<Provider>(async () => identity("A", 3600))
    const kept = renewing(provider)
    await kept.provider()
    provider.mockImplementation(() => new Promise((resolve) => (answer = resolve)))
    after(3599)
    expect(await kept.provider()).toMatchObject({ accessKeyId: "A" })
    after(3601)
    const waiting = kept.provider()
    answer(identity("B", 3600))
    expect(await waiting).toMatchObject({ accessKeyId: "B" })
    expect(provider).toHaveBeenCalledTimes(2)
  })

  it("asks each time until a source returns credentials", async () => {
    const provider = vi.fn<Provider>(() => Promise.reject(new Error("down")))
    const kept = renewing(provider)
    await expect(kept.provider()).rejects.toThrow("down")
    await expect(kept.provider()).rejects.toThrow("down")
    expect(provider).toHaveBeenCalledTimes(2)
  })

  it("reports whether expired credentials were renewed", async () => {
    let name = "A"
    const provider = vi.fn<Provider>(async () => identity(name, 3600))
    const kept = renewing(provider)
    await kept.provider()
    const old = kept.current()
    expect(await kept.renew(old)).toBe("unchanged")
    name = "B"
    expect(await kept.renew(kept.current())).toBe("renewed")
    provider.mockImplementationOnce(() => Promise.reject(new Error("down")))
    expect(await kept.renew(kept.current())).toBe("unavailable")
    // the expired credentials are no longer the current ones
    expect(await kept.renew(old)).toBe("renewed")
    expect(provider).toHaveBeenCalledTimes(4)
  })
})
