/** A redirect must not carry a signed request to another server. */
import { createServer } from "node:http"
import { describe, expect, it } from "vitest"
import { Loopback } from "../fakes/Loopback.ts"
import { run, s3 } from "./BuiltProgram.ts"
import {
  asPod,
  inContainer,
  oneFile,
  onInstance,
  roleArn,
  startMetadata,
  startStoreForIssuedKeys,
  startSts,
  withSts
} from "./CredentialSources.ts"
import { stopAfterTest } from "./StopAfterTest.ts"
import { startStore } from "./Store.ts"

/** A foreign server that records every request. */
const startForeignServer = async () => {
  const received: Array<string> = []
  const server = createServer((message, response) => {
    received.push(`${message.method} ${message.url} ${JSON.stringify(message.headers)}`)
    response.end()
  })
  const { port, stop } = stopAfterTest(await Loopback.listen(server))
  return { received, url: `http://127.0.0.1:${port}/stolen`, stop }
}

describe("a redirect", () => {
  it.each([
    [301, "PermanentRedirect", 23],
    [307, "TemporaryRedirect", 32]
  ])("from the store with %i is not followed, and the hint names the right region", async (status, code, exit) => {
    const store = await startStore()
    const { received, url } = await startForeignServer()
    const headers = { location: url, "x-amz-bucket-region": "eu-west-1" }
    store.fault = () => ({ kind: "answer", status, code, headers })
    const result = await run(s3(oneFile(), store.endpoint, "--max-retries=1"))
    expect(received).toEqual([])
    expect(result.code, result.stdout).toBe(exit)
    expect(result.stdout).toContain("eu-west-1")
  })

  it.each([302, 303, 308])("from a proxy with %i is not followed", async (status) => {
    const store = await startStore()
    const { received, url } = await startForeignServer()
    const headers = { location: url, "content-type": "text/html" }
    store.fault = () => ({ kind: "answer", status, headers, body: "<html>please log in</html>" })
    const result = await run(s3(oneFile(), store.endpoint))
    expect(received).toEqual([])
    expect(result.code, result.stdout).toBe(30)
  })

  it.each(["instance metadata", "container", "web identity", "--assume-role-arn"])(
    "from a credential source is not followed: %s",
    async (source) => {
      const { args, store } = await startStoreForIssuedKeys()
      const { received, url } = await startForeignServer()
      const metadata = await startMetadata({ redirect: url })
      const sts = await startSts({ redirect: url })
      const env = {
        "instance metadata": onInstance(metadata),
        container: inContainer(metadata).env,
        "web identity": asPod(sts).env,
        "--assume-role-arn": withSts(sts)
      }[source]
      const flags = source === "--assume-role-arn" ? [source, roleArn] : []
      const result = await run(args("--max-retries=0", ...flags), { env: env ?? {} })
      expect(received).toEqual([])
      expect([20, 21], result.stdout).toContain(result.code)
      expect(store.requests).toEqual([])
    }
  )
})
