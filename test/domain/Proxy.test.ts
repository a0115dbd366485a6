import { describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import * as Proxy from "../../src/domain/Proxy.ts"

const read = (env: Record<string, string>) => Either.getOrThrow(Proxy.fromEnv(env))

describe("fromEnv", () => {
  it.each([
    ["nothing", {}, []],
    ["a proxy for each", { HTTP_PROXY: "http://a:1", HTTPS_PROXY: "http://b:2" }, ["http://a:1/", "http://b:2/"]],
    ["a login", { HTTPS_PROXY: "http://me:pw@b:2" }, [undefined, "http://me:pw@b:2/"]],
    ["a proxy over TLS", { HTTPS_PROXY: "https://b:2" }, [undefined, "https://b:2/"]],
    ["a host and a port alone", { HTTPS_PROXY: "proxy.corp:3128" }, [undefined, "http://proxy.corp:3128/"]],
    ["the lower-case name first", { http_proxy: "http://a:1", HTTP_PROXY: "http://b:2" }, ["http://a:1/"]],
    ["an empty one as none", { HTTP_PROXY: "", https_proxy: "" }, []]
  ])("reads %s", (_, env, [http, https]: ReadonlyArray<string | undefined>) => {
    expect(read(env as Record<string, string>)).toEqual({
      ...(http === undefined ? {} : { HTTP_PROXY: http }),
      ...(https === undefined ? {} : { HTTPS_PROXY: https })
    })
  })

  it.each(["socks5://user:hidden@a:1", "http://", "ftp://a", "http://me:hidden%ss@a:1"])(
    "refuses %j without repeating it",
    (text) => {
      const problem = Either.getOrThrow(Either.flip(Proxy.fromEnv({ HTTPS_PROXY: text })))
      expect(problem).toMatch(/^HTTPS_PROXY is not the URL/)
      expect(problem).not.toContain("hidden")
    }
  )
})

describe("exemptions", () => {
  it.each([
    ["*", "*"],
    ["example.com", "example.com,.example.com"],
    [".example.com", ".example.com"],
    ["*.example.com", ".example.com"],
    ["localhost", "localhost,.localhost"],
    ["9gag.com", "9gag.com,.9gag.com"],
    ["10.1.2.3", "10.1.2.3"],
    ["::1", "::1"],
    ["10.1.0.0/16", "10.1.0.0-10.1.255.255"],
    ["192.168.1.77/24", "192.168.1.0-192.168.1.255"],
    ["10.1.2.3/32", "10.1.2.3-10.1.2.3"],
    ["0.0.0.0/0", "0.0.0.0-255.255.255.255"],
    ["minio:9000", "minio:9000"],
    ["[::1]", "::1"],
    [" a.b , 10.0.0.1 c ", "a.b,.a.b,10.0.0.1,c,.c"]
  ])("%j becomes %j", (given, expected) => {
    expect(Proxy.exemptions(given)).toBe(expected)
  })
})
