import os, { hostname } from "node:os"
import { afterEach, describe, expect, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import { vi } from "vitest"
import type { Env } from "../../src/domain/Env.ts"
import * as Placeholder from "../../src/domain/Placeholder.ts"
import * as HostIdentity from "../../src/services/HostIdentity.ts"
import { Metadata, type MetadataOptions } from "../fakes/Metadata.ts"

const prefix = (text: string, env: Env = {}) =>
  HostIdentity.resolvePrefix(Either.getOrThrow(Placeholder.parse(text)), env)

const onInstance = <A, E>(options: MetadataOptions, use: (metadata: Metadata) => Effect.Effect<A, E>) =>
  Effect.acquireUseRelease(
    Effect.promise(() => Metadata.start(options)),
    use,
    (metadata) => Effect.promise(() => metadata.stop())
  )

afterEach(() => {
  vi.restoreAllMocks()
})

describe("a prefix", () => {
  it.effect("contains the host's name", () =>
    Effect.gen(function* () {
      expect(yield* prefix("ibsr/{hostname}/snapshots")).toBe(`ibsr/${hostname()}/snapshots`)
    })
  )

  it.effect.each(["localhost", "localhost.localdomain", ""])("is refused if the host is named %j", (name) =>
    Effect.gen(function* () {
      vi.spyOn(os, "hostname").mockReturnValue(name)
      const error = yield* Effect.flip(prefix("ibsr/{hostname}/snapshots"))
      expect(error).toMatchObject({ _tag: "ConfigError", hint: expect.stringContaining("--prefix") })
      expect(yield* prefix("ibsr/host-17")).toBe("ibsr/host-17")
    })
  )

  it.effect("is refused if the host's name cannot be part of a key", () =>
    Effect.gen(function* () {
      vi.spyOn(os, "hostname").mockReturnValue("..")
      expect(yield* Effect.flip(prefix("{hostname}/x"))).toMatchObject({ _tag: "ConfigError" })
    })
  )
})

describe("the instance ID", () => {
  it.live("comes from version 2 of the metadata service", () =>
    onInstance({}, (metadata) =>
      Effect.gen(function* () {
        const env = { AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url }
        expect(yield* prefix("{instance-id}/x", env)).toBe(`${metadata.instanceId}/x`)
        expect(metadata.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
          "PUT /latest/api/token",
          "GET /latest/meta-data/instance-id"
        ])
        expect(metadata.versionOne).toEqual([])
      })
    )
  )

  it.live.each<[MetadataOptions, reason: string]>([
    [{ steps: { token: 403 } }, "it answered 403"],
    [{ hang: true }, "no answer within 2 s"]
  ])("is missing, and the message says why: %j", ([options, reason]) =>
    onInstance(options, (metadata) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(prefix("{instance-id}", { AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url }))
        expect(error.message).toContain(reason)
        expect(error.hint).toContain("{hostname}")
        expect(metadata.versionOne).toEqual([])
      })
    )
  )

  it.live("is not requested when AWS_EC2_METADATA_DISABLED is true", () =>
    onInstance({}, (metadata) =>
      Effect.gen(function* () {
        const env = { AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url, AWS_EC2_METADATA_DISABLED: "true" }
        expect((yield* Effect.flip(prefix("{instance-id}", env))).message).toContain("AWS_EC2_METADATA_DISABLED is set")
        expect(metadata.requests).toEqual([])
      })
    )
  )
})
