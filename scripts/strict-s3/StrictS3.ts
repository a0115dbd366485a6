import { randomBytes } from "node:crypto"
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer as createHttpsServer } from "node:https"
import { type AddressInfo, isIPv6, type Socket } from "node:net"
import { type Context, exchange, openRecord } from "./Exchange.ts"
import { type Fault, interrupt, isInterruption, type Connection } from "./Faults.ts"
import { Bucket } from "./Objects.ts"
import {
  owner,
  type RecordedRequest,
  type StoredVersion,
  type StrictS3Options,
  writer,
  writerNoAbort
} from "./Types.ts"

export { owner, writer, writerNoAbort } from "./Types.ts"
export type { Dialect } from "./Dialect.ts"
export type { Fault, CannedAnswer } from "./Faults.ts"
export type { Identity, RecordedRequest, StoredVersion, StrictS3Options } from "./Types.ts"

/**
 * S3 in this process, as strict as AWS: it recomputes signatures and checksums, refuses what AWS refuses with the same
 * error codes, and lets a test break any request.
 */
export class StrictS3 {
  readonly requests: RecordedRequest[] = []
  /** Chooses the fault of a request, when its head has arrived. */
  fault: ((request: RecordedRequest) => Fault | undefined) | undefined
  readonly #context: Context
  readonly #server: ReturnType<typeof createHttpServer>
  // the TCP sockets, by the client's port: over TLS, a request has only the TLS socket, which cannot be reset
  readonly #sockets = new Map<number, Socket>()
  #authority = ""
  #stopping = false
  #inFlight = 0
  #maxInFlight = 0

  private constructor(options: StrictS3Options) {
    const keepBodies = options.keepBodies ?? true
    const names = options.buckets ?? ["snapshots"]
    this.#context = {
      buckets: new Map(names.map((name) => [name, new Bucket(keepBodies)])),
      secure: options.tls !== undefined,
      options: {
        region: options.region ?? "us-east-1",
        identities: options.identities ?? [owner, writer, writerNoAbort],
        latencyMs: options.latencyMs ?? 0,
        minPartBytes: options.minPartBytes ?? 5 * 1024 * 1024,
        keepBodies,
        clock: options.clock ?? Date.now,
        dialect: options.dialect ?? {},
        ...(options.domain === undefined ? {} : { domain: options.domain })
      }
    }
    // idle connections stay open: closing one just as a client reuses it would fail a test at random
    const noTimeouts = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }
    const listener = (message: IncomingMessage, response: ServerResponse) => this.#receive(message, response)
    this.#server =
      options.tls === undefined
        ? createHttpServer(noTimeouts, listener)
        : createHttpsServer({ ...options.tls, ...noTimeouts }, listener)
    // without this listener, Node would ask for the body before a fault can answer
    this.#server.on("checkContinue", listener)
    this.#server.on("connection", (socket: Socket) => {
      const port = socket.remotePort ?? 0
      this.#sockets.set(port, socket)
      socket.once("close", () => {
        if (this.#sockets.get(port) === socket) this.#sockets.delete(port)
      })
      socket.on("error", () => {})
    })
  }

  /** Starts a server on a free port, or on `options.listener`. */
  static async start(options: StrictS3Options = {}): Promise<StrictS3> {
    const server = new StrictS3(options)
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject)
      server.#server.listen(options.listener ?? { host: options.host ?? "127.0.0.1", port: 0 }, resolve)
    })
    const { address, port } = server.#server.address() as AddressInfo
    server.#authority = `${isIPv6(address) ? `[${address}]` : address}:${port}`
    return server
  }

  get endpoint(): string {
    return `${this.#context.secure ? "https" : "http"}://${this.#authority}`
  }

  /** The number of requests that have arrived and are not answered yet. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** The largest number of requests that were unanswered at the same time. */
  get maxInFlight(): number {
    return this.#maxInFlight
  }

  /** The keys in a bucket, sorted. */
  keys(bucket?: string): string[] {
    return this.#bucket(bucket).keys()
  }

  /** The latest version under a key. */
  object(key: string, bucket?: string): StoredVersion | undefined {
    return this.#bucket(bucket).latest(key)
  }

  /** All versions ever stored under a key, oldest first. */
  versions(key: string, bucket?: string): readonly StoredVersion[] {
    return this.#bucket(bucket).versions(key)
  }

  /** The multipart uploads that are neither completed nor aborted. */
  openUploads(bucket?: string): readonly { key: string; uploadId: string }[] {
    return [...this.#bucket(bucket).uploads.values()].map(({ key, uploadId }) => ({ key, uploadId }))
  }

  /** Stops the server and closes all connections. */
  async stop(): Promise<void> {
    this.#stopping = true
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
    this.#server.closeAllConnections()
    for (const socket of this.#sockets.values()) socket.destroy()
    await closed
  }

  // the first bucket is the default
  #bucket(name: string | undefined): Bucket {
    const { buckets } = this.#context
    const bucket = name === undefined ? [...buckets.values()][0] : buckets.get(name)
    if (bucket === undefined)
      throw new Error(name === undefined ? "The test server has no bucket" : `The test server has no bucket ${name}`)
    return bucket
  }

  #receive(message: IncomingMessage, response: ServerResponse): void {
    const record = openRecord(message, this.#context.options.domain)
    const requestId = randomBytes(8).toString("hex").toUpperCase()
    this.requests.push(record)
    this.#inFlight += 1
    this.#maxInFlight = Math.max(this.#maxInFlight, this.#inFlight)
    let open = true
    let cut = false
    const markAnswered = () => {
      if (open) this.#inFlight -= 1
      open = false
    }
    response.once("close", () => {
      markAnswered()
      record.endedAt ??= Date.now()
      record.aborted = !response.writableFinished && !cut && !this.#stopping
    })
    message.on("error", () => {})
    response.on("error", () => {})
    const fault = this.fault?.(record)
    const connection: Connection = {
      message,
      response,
      record,
      cut: (how) => {
        cut = true
        markAnswered()
        if (how === "reset") this.#reset(message.socket)
        else message.socket.destroySoon()
      }
    }
    if (message.headers.expect !== undefined && fault?.kind !== "early-answer") response.writeContinue()
    const handled = isInterruption(fault)
      ? interrupt(fault, connection)
      : exchange(this.#context, connection, requestId, fault, markAnswered)
    handled.catch((error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))))
  }

  #reset(socket: Socket): void {
    const raw = this.#sockets.get(socket.remotePort ?? 0) ?? socket
    try {
      raw.resetAndDestroy()
    } catch {
      raw.destroy()
    }
    socket.destroy()
  }
}
