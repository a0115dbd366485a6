import { describe, expect, it } from "@effect/vitest"
import { Either, FastCheck as fc } from "effect"
import { Agent } from "node:http"
import * as Proxy from "../../src/domain/Proxy.ts"

const read = (env: Record<string, string>) => Either.getOrThrow(Proxy.fromEnv(env))

describe("Proxy.fromEnv", () => {
  it.each([
    ["an environment without variables", {}, []],
    [
      "a proxy for each protocol",
      { HTTP_PROXY: "http://a:1", HTTPS_PROXY: "http://b:2" },
      ["http://a:1/", "http://b:2/"]
    ],
    ["proxy credentials", { HTTPS_PROXY: "http://me:pw@b:2" }, [undefined, "http://me:pw@b:2/"]],
    ["a proxy over TLS", { HTTPS_PROXY: "https://b:2" }, [undefined, "https://b:2/"]],
    ["a host and a port without a scheme", { HTTPS_PROXY: "proxy.corp:3128" }, [undefined, "http://proxy.corp:3128/"]],
    [
      "the lower-case name before the upper-case name",
      { http_proxy: "http://a:1", HTTP_PROXY: "http://b:2" },
      ["http://a:1/"]
    ],
    ["a password with an at sign", { HTTP_PROXY: "http://me:p@ss@a:1" }, ["http://me:p%40ss@a:1/"]],
    ["an empty variable as unset", { HTTP_PROXY: "", https_proxy: "" }, []]
  ])("reads %s", (_, env, [http, https]: ReadonlyArray<string | undefined>) => {
    expect(read(env as Record<string, string>)).toEqual({
      ...(http === undefined ? {} : { HTTP_PROXY: http }),
      ...(https === undefined ? {} : { HTTPS_PROXY: https })
    })
  })

  it.each([
    "socks5://user:hidden@a:1",
    "http://",
    "ftp://a",
    "http://me:hidden%ss@a:1",
    "http://me:p@hidden#w/d@a:1",
    "http://me:8080/hidden@a:1",
    "http://me:8080?hidden@a:1",
    "me:80#hidden@a:1",
    "http://a:1/hidden"
  ])("refuses %j without repeating it", (text) => {
    const problem = Either.getOrThrow(Either.flip(Proxy.fromEnv({ HTTPS_PROXY: text })))
    expect(problem).toMatch(/^HTTPS_PROXY is not the URL/)
    expect(problem).not.toContain("hidden")
    expect(problem).toContain("# as %23")
  })

  it("names the variable that it refuses, in its own spelling", () => {
    const problem = Either.getOrThrow(
      Either.flip(Proxy.fromEnv({ http_proxy: "socks5://a:1", HTTP_PROXY: "http://b" }))
    )
    expect(problem).toMatch(/^http_proxy is not/)
  })
})

describe("Proxy.exemptions", () => {
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
    ["[::1]:9000", "::1:9000"],
    [" a.b , 10.0.0.1 c ", "a.b,.a.b,10.0.0.1,c,.c"]
  ])("%j becomes %j", (given, expected) => {
    expect(Proxy.exemptions(given)).toBe(expected)
  })
})

const [proxy, secureProxy] = ["http://proxy:1/", "http://proxy:2/"]
const proxies = { HTTP_PROXY: proxy, HTTPS_PROXY: secureProxy }
const to = (hostname: string, port = 443, protocol = "https:") => ({ protocol, hostname, port })

describe("Proxy.of", () => {
  it("chooses the proxy by the protocol", () => {
    expect(Proxy.of(proxies, to("store"))).toBe(secureProxy)
    expect(Proxy.of(proxies, to("store", 80, "http:"))).toBe(proxy)
    expect(Proxy.of({ HTTP_PROXY: proxy }, to("store"))).toBeUndefined()
    expect(Proxy.of({}, to("store"))).toBeUndefined()
  })

  it.each([
    ["*", "any.example", true],
    ["example.com", "example.com", true],
    ["example.com", "EXAMPLE.com", true],
    ["Example.COM", "example.com", true],
    ["example.com", "bucket.example.com", true],
    ["example.com", "notexample.com", false],
    ["example.com", "example.com.evil", false],
    [".example.com", "example.com", true],
    [".example.com", "bucket.example.com", true],
    [".example.com", "notexample.com", false],
    ["*.example.com", "bucket.example.com", true],
    ["store:443", "store", true],
    ["store:9000", "store", false],
    ["10.1.0.0/16", "10.1.0.0", true],
    ["10.1.0.0/16", "10.1.255.255", true],
    ["10.1.0.0/16", "10.0.255.255", false],
    ["10.1.0.0/16", "10.2.0.0", false],
    ["10.1.2.3/32", "10.1.2.3", true],
    ["10.1.2.3/32", "10.1.2.4", false],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["0.0.0.0/0", "store", false],
    ["10.1.0.0-10.1.0.9", "10.1.0.9", true],
    ["10.1.2.3", "10.1.2.30", false],
    ["my-store", "my-store", true],
    ["my-store", "my", false],
    ["[::1]", "::1", true],
    ["[::1]:443", "::1", true],
    ["[::1]:9000", "::1", false],
    ["::1", "::2", false],
    ["", "store", false],
    [" , ", "store", false]
  ])("NO_PROXY=%j exempts %s: %s", (NO_PROXY, host, isExempt) => {
    const given = read({ HTTPS_PROXY: secureProxy, NO_PROXY })
    expect(Proxy.of(given, to(host))).toBe(isExempt ? undefined : secureProxy)
  })

  const label = fc.constantFrom("a", "b", "a-b", "store", "A", "10")
  const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."))
  const byte = fc.constantFrom(0, 1, 2, 9, 10, 127, 128, 254, 255)
  const address = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join("."))
  const hosts = fc.oneof(name, address, fc.constantFrom("::1", "fe80::2"))
  const ports = fc.constantFrom(80, 443, 9000)
  const entry = fc.oneof(
    fc.tuple(fc.constantFrom("", ".", "*."), name).map((parts) => parts.join("")),
    fc.tuple(hosts, ports).map(([host, port]) => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`)),
    hosts.map((host) => (host.includes(":") ? `[${host}]` : host)),
    fc.tuple(address, fc.integer({ min: 0, max: 33 })).map((parts) => parts.join("/")),
    fc.tuple(address, address).map((parts) => parts.join("-")),
    fc.constant("*")
  )

  /** Whether Node's agents use the proxy. The SDK sends its requests for credentials through these agents. */
  const usesProxyInNode = (proxyEnv: Proxy.Proxies, host: string, port: number): boolean => {
    const agent = new Agent({ proxyEnv: { ...proxyEnv } })
    const key = Object.getOwnPropertySymbols(agent).find(({ description }) => description === "kProxyConfig")
    return Object(Reflect.get(agent, key ?? "")).shouldUseProxy(host, port)
  }

  it("decides as Node's agents do", () =>
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 3 }), hosts, ports, (entries, host, port) => {
        const given = read({ HTTP_PROXY: proxy, NO_PROXY: entries.join(", ") })
        expect(Proxy.of(given, to(host, port, "http:")) === proxy).toBe(usesProxyInNode(given, host, port))
      }),
      { numRuns: 2000 }
    ))
})
