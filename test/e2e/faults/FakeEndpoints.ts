/** Where the program may be sent in place of a strict store: where nobody answers, or somebody else does. */
import { writeFileSync } from "node:fs"
import { createServer, type AddressInfo, type Server, type Socket } from "node:net"
import { join } from "node:path"
import { createServer as createTlsServer, type TlsOptions } from "node:tls"
import { generate, type SelfsignedOptions } from "selfsigned"
import { StrictS3 } from "../../fakes/StrictS3.ts"
import { emptyDirectory } from "../../fixtures/Tree.ts"
import { sessionWriter } from "./Identities.ts"

export interface FakeEndpoint {
  readonly endpoint: string
  readonly env?: NodeJS.ProcessEnv
  /** Requests or connections that arrived, where they can be counted. Else the program's log is believed. */
  readonly attempts?: () => number
  readonly stop: () => Promise<void>
}

/** Listens on a free port of 127.0.0.1, and does this to each connection. */
const listening = async (server: Server, scheme: string): Promise<FakeEndpoint> => {
  const sockets = new Set<Socket>()
  let attempts = 0
  server.on("connection", (socket: Socket) => {
    attempts++
    sockets.add(socket)
    socket.on("error", () => {}).on("close", () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    endpoint: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    attempts: () => attempts,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
  }
}

/** Does this to each connection, once the client has said something. */
export const raw =
  (behave: (socket: Socket) => void, scheme = "http") =>
  () =>
    listening(
      createServer((socket) => socket.once("data", () => behave(socket))),
      scheme
    )

/** Says this, which is not what S3 says, and closes. */
export const saying = (text: string) => raw((socket) => socket.end(text))

/** An address that is nobody's. */
export const nowhere = (endpoint: string) => async (): Promise<FakeEndpoint> => ({
  endpoint,
  stop: async () => {}
})

/** A port on which nobody listens any more. */
export const closedPort = async (): Promise<FakeEndpoint> => {
  const place = await listening(createServer(), "http")
  await place.stop()
  return nowhere(place.endpoint)()
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

interface Secure {
  readonly commonName?: string
  readonly expired?: boolean
  /** The program knows who has signed the certificate. */
  readonly trusted?: boolean
  /** The program is told to speak this, whatever the server does. */
  readonly scheme?: "http"
}

/** A strict store behind TLS, or another scheme. */
export const secure =
  ({ commonName = "127.0.0.1", expired = false, scheme, trusted = true }: Secure = {}) =>
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

/** A strict store that speaks plain HTTP where TLS is expected. */
export const plain = async (): Promise<FakeEndpoint> => {
  const store = await StrictS3.start({ identities: [sessionWriter] })
  return {
    endpoint: store.endpoint.replace("http", "https"),
    stop: () => store.stop()
  }
}

/** Speaks TLS, but not with everybody. Counts connections. */
export const choosy = (options: TlsOptions) => async (): Promise<FakeEndpoint> => {
  const { cert, private: key } = await certificate("127.0.0.1")
  const file = join(emptyDirectory(), "ca.pem")
  writeFileSync(file, cert)
  const server = createTlsServer({ cert, key, ...options }).on("tlsClientError", () => {})
  return { ...(await listening(server, "https")), env: { NODE_EXTRA_CA_CERTS: file } }
}
