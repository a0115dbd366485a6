/** A proxy that requires a login, and the secrecy of the password. */
import { describe, expect, it } from "vitest"
import { run, s3 } from "../BuiltProgram.ts"
import { oneFile } from "../CredentialSources.ts"
import { startStoreBehindProxy } from "../StoreBehindProxy.ts"

const password = "s3cr3t/p@ss:w0rd%"
const login = `operator:${password}`
/** The forms of the password: as it is, in a URL, and in the header of a request. */
const forms = [password, encodeURIComponent(password), Buffer.from(login).toString("base64")]

const verbose = ["--verbose", "--log-format=json", "--output=json", "--max-retries=1"]

/** Uploads through the proxy with these credentials; no output may contain the password. */
const upload = async (credentials: string | undefined, scheme: "http" | "https") => {
  const { authority, proxy, store } = await startStoreBehindProxy("store.test", { login, secure: scheme === "https" })
  const address = proxy.url(credentials)
  const env = { HTTP_PROXY: address, HTTPS_PROXY: address, AWS_CA_BUNDLE: authority.file }
  const result = await run(s3(oneFile(), `${scheme}://store.test`, ...verbose), { env })
  const output = result.stdout + result.stderr
  for (const form of forms) expect(output).not.toContain(form)
  return { ...result, proxy, store }
}

describe.each(["http", "https"] as const)(
  "a proxy that requires credentials, in front of a store with %s",
  (scheme) => {
    it("forwards requests with the right password, and no output contains the password", async () => {
      const { code, stdout, store } = await upload(login, scheme)
      expect(code, stdout).toBe(0)
      expect(store.keys()).toHaveLength(1)
    })

    it.each([undefined, "operator:wrong"])(
      "rejects the credentials %s; the run does not retry, and its hint names the proxy credentials",
      async (credentials) => {
        const { code, proxy, stdout, store } = await upload(credentials, scheme)
        expect(code, stdout).toBe(30)
        expect(stdout).toMatch(/the proxy [\w.:]+ requires a login/)
        expect([proxy.log.length, store.requests]).toEqual([1, []])
      }
    )
  }
)

describe("an invalid proxy address", () => {
  it.each([
    "http://operator:s3cr3t#pass@127.0.0.1:3128",
    "http://operator:s3cr3t/pass@127.0.0.1:3128",
    "http://operator:s3cr3t@127.0.0.1:99999",
    "socks5://operator:s3cr3t@127.0.0.1:1080"
  ])("fails the run before any request, and its message omits the password: %s", async (address) => {
    const result = await run(s3(oneFile(), "https://store.test", ...verbose), { env: { HTTPS_PROXY: address } })
    expect(result.code, result.stdout).toBe(61)
    expect(result.stdout).toContain("HTTPS_PROXY")
    expect(result.stdout + result.stderr).not.toContain("s3cr3t")
  })

  it("fails the run when a percent sign encodes nothing", async () => {
    const env = { HTTPS_PROXY: "http://operator:s3cr3t%ss@127.0.0.1:1" }
    const result = await run(s3(oneFile(), "https://store.test", ...verbose), { env })
    expect(result.stdout + result.stderr).not.toContain("s3cr3t")
    expect(result.code, result.stdout).toBe(61)
  })
})
