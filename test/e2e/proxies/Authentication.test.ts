/** A proxy that wants a login, and what is told of it. */
import { describe, expect, it } from "vitest"
import { run, s3 } from "../BuiltProgram.ts"
import { startStoreBehindProxy } from "../StoreBehindProxy.ts"
import { oneFile } from "../CredentialSources.ts"

const password = "s3cr3t/p@ss:w0rd%"
const login = `operator:${password}`
/** As it is, as it stands in a URL, and as it goes over the wire. */
const forms = [password, encodeURIComponent(password), Buffer.from(login).toString("base64")]

const talkative = ["--verbose", "--log-format=json", "--output=json", "--max-retries=1"]

const told = async (given: string | undefined, scheme: "http" | "https") => {
  const { authority, proxy, store } = await startStoreBehindProxy("store.test", { login, secure: scheme === "https" })
  const address = proxy.url(given)
  const env = { HTTP_PROXY: address, HTTPS_PROXY: address, AWS_CA_BUNDLE: authority.file }
  const result = await run(s3(oneFile(), `${scheme}://store.test`, ...talkative), { env })
  const output = result.stdout + result.stderr
  for (const form of forms) expect(output).not.toContain(form)
  return { ...result, proxy, store }
}

describe.each(["http", "https"] as const)("a proxy that wants a login, on the way to a store by %s", (scheme) => {
  it("lets through who has it, and the password appears nowhere", async () => {
    const { code, stdout, store } = await told(login, scheme)
    expect(code, stdout).toBe(0)
    expect(store.keys()).toHaveLength(1)
  })

  it.each([undefined, "operator:wrong"])(
    "refuses %s, which is not tried again, and the hint says so",
    async (given) => {
      const { code, proxy, stdout, store } = await told(given, scheme)
      expect(code, stdout).toBe(30)
      expect(stdout).toContain("the proxy wants a login")
      expect([proxy.log.length, store.requests]).toEqual([1, []])
    }
  )
})

describe("the address of a proxy", () => {
  it.each([
    "http://operator:s3cr3t#pass@127.0.0.1:3128",
    "http://operator:s3cr3t/pass@127.0.0.1:3128",
    "http://operator:s3cr3t@127.0.0.1:99999",
    "socks5://operator:s3cr3t@127.0.0.1:1080"
  ])("that cannot be one is refused before anything is sent, without its password: %s", async (address) => {
    const result = await run(s3(oneFile(), "https://store.test", ...talkative), { env: { HTTPS_PROXY: address } })
    expect(result.code, result.stdout).toBe(61)
    expect(result.stdout).toContain("HTTPS_PROXY")
    expect(result.stdout + result.stderr).not.toContain("s3cr3t")
  })

  // it is called a defect of the program
  it("may not have a percent sign that encodes nothing", async () => {
    const env = { HTTPS_PROXY: "http://operator:s3cr3t%ss@127.0.0.1:1" }
    const result = await run(s3(oneFile(), "https://store.test", ...talkative), { env })
    expect(result.stdout + result.stderr).not.toContain("s3cr3t")
    expect(result.code, result.stdout).toBe(61)
  })
})
