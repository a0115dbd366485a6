/** A TCP relay on loopback that observes and disturbs the connections to a real server. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { stopAfterTest } from "./StopAfterTest.ts"

export interface TcpRelay {
  readonly endpoint: string
  /** Connections accepted so far. */
  connections: number
  /** The bytes of each connection that reach the server. The relay drops all later ones. */
  passBytes: number
  /** Connections with dropped bytes. */
  cutConnections: number
}

/** Starts a relay for one test. */
export const startRelay = async (server: string): Promise<TcpRelay> => {
  const { hostname, port } = new URL(server)
  const sockets = new Set<Socket>()
  const listener = createServer((client) => {
    relay.connections++
    const upstream = connect(Number(port), hostname)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client]
    ] as const) {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    let sent = 0
    client.on("data", (bytes: Buffer) => {
      const before = sent
      sent += bytes.length
      if (sent <= relay.passBytes) upstream.write(bytes)
      else if (before <= relay.passBytes) relay.cutConnections++
    })
    upstream.pipe(client)
  })
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))
  const endpoint = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
  const relay: TcpRelay = { endpoint, connections: 0, passBytes: Infinity, cutConnections: 0 }
  stopAfterTest({
    stop: () => {
      const closed = new Promise((resolve) => listener.close(resolve))
      for (const socket of sockets) socket.destroy()
      return closed
    }
  })
  return relay
}
