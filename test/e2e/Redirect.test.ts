/** An answer that sends the program elsewhere must not take anything signed there. */
import { createServer } from "node:http"
import { describe, expect, it } from "vitest"
import { Loopback } from "../fakes/Loopback.ts"
import { run, s3 } from "./BuiltProgram.ts"
import {
  asPod,
  inContainer,
  startStoreForIssued,
  oneFile,
  onInstance,
  roleArn,
  startMetadata,
  startSts,
  stopAfterTest,
  withSts
} from "./CredentialSources.ts"
import { startStore } from "./Store.ts"

/** A server of somebody else, with all that it was ever told. */
const elsewhere = async () => {
  const told: Array<string> = []
  const server = createServer((message, response) => {
    told.push(`${message.method} ${message.url} ${JSON.stringify(message.headers)}`)
    response.end()
  })
  const { port, stop } = stopAfterTest(await Loopback.listen(server))
  return { told, url: `http://127.0.0.1:${port}/stolen`, stop }
}

describe("a redirect", () => {
  it.each([
    [301, "PermanentRedirect", 23],
    [307, "TemporaryRedirect", 32]
  ])("of the store with %i is not followed, and the right region is told", async (status, code, exit) => {
    const store = await startStore()
    const { told, url } = await elsewhere()
    const headers = { location: url, "x-amz-bucket-region": "eu-west-1" }
    store.fault = () => ({ kind: "answer", status, code, headers })
    const result = await run(s3(oneFile(), store.endpoint, "--max-retries=1"))
    expect(told).toEqual([])
    expect(result.code, result.stdout).toBe(exit)
    expect(result.stdout).toContain("eu-west-1")
  })

  it.each([302, 303, 308])("of something before the store, with %i, is not followed", async (status) => {
    const store = await startStore()
    const { told, url } = await elsewhere()
    const headers = { location: url, "content-type": "text/html" }
    store.fault = () => ({ kind: "answer", status, headers, body: "<html>please log in</html>" })
    const result = await run(s3(oneFile(), store.endpoint))
    expect(told).toEqual([])
    expect(result.code, result.stdout).toBe(30)
  })

  it.each(["instance metadata", "container", "web identity", "--assume-role-arn"])(
    "of a source of credentials is not followed: %s",
    async (source) => {
      const { args, store } = await startStoreForIssued()
      const { told, url } = await elsewhere()
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
      expect(told).toEqual([])
      expect([20, 21], result.stdout).toContain(result.code)
      expect(store.requests).toEqual([])
    }
  )
})
