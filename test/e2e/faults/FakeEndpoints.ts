/** Endpoints other than a plain strict store: closed ports, servers that do not speak S3, and stores behind TLS. */
import { writeFileSync } from "node:fs"
import { createServer, type AddressInfo, type Server, type Socket } from "node:net"
import { join } from "node:path"
import { createServer as createTlsServer, type TlsOptions } from "node:tls"
import { generate, type SelfsignedOptions } from "selfsigned"
import { StrictS3 } from "../../../scripts/strict-s3/StrictS3.ts"
import { emptyDirectory } from "../../fixtures/Tree.ts"
import { sessionWriter } from "./Identities.ts"

export interface FakeEndpoint {
  readonly endpoint: string
  readonly env?: NodeJS.ProcessEnv
  /** The number of connections that have arrived. If undefined, attempts are counted in the log of the program. */
  readonly connections?: () => number
  readonly stop: () => Promise<void>
}

/** Listens on a free port of 127.0.0.1 and counts connections. */
const listenAs = async (server: Server, scheme: string): Promise<FakeEndpoint> => {
  const sockets = new Set<Socket>()
  let connections = 0
  server.on("connection", (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on("error", () => {}).on("close", () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    endpoint: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
  }
}

/** Handles each connection after the first bytes from the client. */
export const onConnection =
  (handle: (socket: Socket) => void, scheme = "http") =>
  () =>
    listenAs(
      createServer((socket) => socket.once("data", () => handle(socket))),
      scheme
    )

/** Sends a text that is not an S3 response, and closes the connection. */
export const answering = (text: string) => onConnection((socket) => socket.end(text))

/** An address without a server. */
export const nothingAt = (endpoint: string) => async (): Promise<FakeEndpoint> => ({
  endpoint,
  stop: async () => {}
})

/** A port that was free a moment ago and has no listener. */
export const closedPort = async (): Promise<FakeEndpoint> => {
  const endpoint = await listenAs(createServer(), "http")
  await endpoint.stop()
  return nothingAt(endpoint.endpoint)()
}

const day = 86_400_000

const certificate = (commonName: string, options: SelfsignedOptions = {}) =>
  generate([{ name: "commonName", value: commonName }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      {
        name: "subjectAltName",
        altNames: commonName === "127.0.0.1" ? [{ type: 7, ip: commonName }] : [{ type: 2, value: commonName }]
      }
    ],
    ...options
  })

interface TlsStoreOptions {
  readonly commonName?: string
  readonly expired?: boolean
  /** Whether the program trusts the issuer. Default: true. */
  readonly trusted?: boolean
  /** The scheme in the endpoint; the server speaks TLS anyway. */
  readonly scheme?: "http"
}

/** A strict store that speaks TLS. */
export const tlsStore =
  ({ commonName = "127.0.0.1", expired = false, scheme, trusted = true }: TlsStoreOptions = {}) =>
  async (): Promise<FakeEndpoint> => {
    const past = { notBeforeDate: new Date(Date.now() - 2 * day), notAfterDate: new Date(Date.now() - day) }
    const { cert, private: key } = await certificate(commonName, expired ? past : {})
    const store = await StrictS3.start({ tls: { cert, key }, identities: [sessionWriter] })
    const file = join(emptyDirectory(), "ca.pem")
    writeFileSync(file, cert)
    return {
      endpoint: scheme === undefined ? store.endpoint : store.endpoint.replace("https", scheme),
      env: trusted ? { NODE_EXTRA_CA_CERTS: file } : {},
      stop: () => store.stop()
    }
  }

/** A strict store that speaks plain HTTP at an https endpoint. */
export const plainHttpStore = async (): Promise<FakeEndpoint> => {
  const store = await StrictS3.start({ identities: [sessionWriter] })
  return {
    endpoint: store.endpoint.replace("http", "https"),
    stop: () => store.stop()
  }
}

/** A TLS server that rejects some or all clients. */
export const tlsServer = (options: TlsOptions) => async (): Promise<FakeEndpoint> => {
  const { cert, private: key } = await certificate("127.0.0.1")
  const file = join(emptyDirectory(), "ca.pem")
  writeFileSync(file, cert)
  const server = createTlsServer({ cert, key, ...options }).on("tlsClientError", () => {})
  return { ...(await listenAs(server, "https")), env: { NODE_EXTRA_CA_CERTS: file } }
}
