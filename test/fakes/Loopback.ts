import type { AddressInfo, Server, Socket } from "node:net"

/** Runs a server on a free port of 127.0.0.1. Stopping it closes all connections, including unanswered ones. */
export class Loopback {
  readonly port: number
  readonly #server: Server
  readonly #sockets: Set<Socket>

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server
    this.#sockets = sockets
    this.port = (server.address() as AddressInfo).port
  }

  /** Listens on a free port, or on `listener` if there is one. */
  static async listen(server: Server, listener?: Server): Promise<Loopback> {
    const sockets = new Set<Socket>()
    server.on("connection", (socket: Socket) => {
      sockets.add(socket)
      socket.once("close", () => sockets.delete(socket))
      // clients that disconnect are part of most tests
      socket.on("error", () => {})
    })
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject)
      server.listen(listener ?? { host: "127.0.0.1", port: 0 }, resolve)
    })
    return new Loopback(server, sockets)
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#sockets.size
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}
