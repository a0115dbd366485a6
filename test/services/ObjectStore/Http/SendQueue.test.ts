import { describe, expect, it } from "@effect/vitest"
import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { inject, onTestFinished } from "vitest"
import * as SendQueue from "../../../../src/services/ObjectStore/Http/SendQueue.ts"

const bytes = 16 * 1024 ** 2

/** A connection whose other side reads nothing until it is resumed. */
const connected = async (host: string) => {
  const server = createServer({ pauseOnConnect: true }).listen(0, host)
  onTestFinished(() => void server.close())
  await once(server, "listening")
  const client = connect((server.address() as AddressInfo).port, host)
  onTestFinished(() => void client.destroy())
  const [[other]] = (await Promise.all([once(server, "connection"), once(client, "connect")])) as [[Socket], unknown]
  onTestFinished(() => void other.destroy())
  return { client, other }
}

describe.each([
  ["IPv4", "127.0.0.1", true],
  ["IPv6", "::1", inject("ipv6")]
] as const)("the send queue of a connection over %s", (_, host, exists) => {
  it.skipIf(!exists)("contains bytes until the other side has read them", async () => {
    const { client, other } = await connected(host)
    expect(SendQueue.unacknowledged(client)).toBe(0)
    client.write(Buffer.alloc(bytes))
    expect(SendQueue.unacknowledged(client)).toBeGreaterThan(0)
    let received = 0
    await new Promise<void>((resolve) => {
      other.on("data", (piece: Buffer) => {
        received += piece.length
        if (received === bytes) resolve()
      })
      other.resume()
    })
    // the byte's packet carries the last acknowledgement
    other.write("x")
    await once(client, "data")
    expect(SendQueue.unacknowledged(client)).toBe(0)
  })

  it.skipIf(!exists)("is unknown once the connection is closed", async () => {
    const { client } = await connected(host)
    client.destroy()
    expect(SendQueue.unacknowledged(client)).toBeUndefined()
  })
})
