/** Compiles and runs the null store in null-store/: it is written in C, so that its own cost hardly affects the figures. */
import { execFileSync, spawn } from "node:child_process"
import { globSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { generate } from "selfsigned"

/** The counters since the last reset. */
export interface Counters {
  /** PutObject and UploadPart requests. */
  readonly put: number
  /** UploadPart requests. */
  readonly parts: number
  readonly post: number
  readonly head: number
  readonly get: number
  readonly delete: number
  /** Bytes of bodies, as sent. */
  readonly bytes: number
  readonly connections: number
  readonly mostInFlight: number
  /** The store's own CPU time since its start, in seconds. */
  readonly cpu: number
}

export interface NullStore {
  readonly http: string
  readonly https: string
  /** The path of the certificate to trust (PEM). */
  readonly authority: string
  readonly counters: () => Promise<Counters>
  readonly reset: () => Promise<Counters>
  /** Delays every answer from now on. */
  readonly delay: (millis: number) => Promise<Counters>
  readonly stop: () => Promise<void>
}

const sources = globSync(join(import.meta.dirname, "null-store", "*.c"))

const compile = (folder: string): string => {
  const program = join(folder, "null-store")
  const flags = ["-O2", "-std=c11", "-Wall", "-Wextra", "-pthread"]
  try {
    execFileSync("cc", [...flags, ...sources, "-o", program, "-lssl", "-lcrypto"], { stdio: "pipe" })
  } catch (cause) {
    const hint = "it needs a C compiler (cc) and OpenSSL's headers: apt-get install gcc libc6-dev libssl-dev"
    throw new Error(`the null store cannot be compiled; ${hint}`, { cause })
  }
  return program
}

/** Compiles and starts the store. Its files go into `folder`, which the caller removes. */
export const start = async (folder: string): Promise<NullStore> => {
  const { cert, private: key } = await generate([{ name: "commonName", value: "null store" }], {
    algorithm: "sha256",
    keyType: "ec",
    notBeforeDate: new Date(Date.now() - 3_600_000),
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }]
  })
  const [certificateFile, keyFile] = [join(folder, "certificate.pem"), join(folder, "key.pem")]
  writeFileSync(certificateFile, cert)
  writeFileSync(keyFile, key)
  const child = spawn(compile(folder), [certificateFile, keyFile], { stdio: ["pipe", "pipe", "inherit"] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextAnswer = async (): Promise<unknown> => {
    const { done, value } = await lines.next()
    if (done === true) throw new Error("the null store has exited")
    return JSON.parse(value)
  }
  const ports = (await nextAnswer()) as { http: number; https: number }
  const command = async (line: string) => {
    child.stdin.write(`${line}\n`)
    return (await nextAnswer()) as Counters
  }
  return {
    http: `http://127.0.0.1:${ports.http}`,
    https: `https://127.0.0.1:${ports.https}`,
    authority: certificateFile,
    counters: () => command("counters"),
    reset: () => command("reset"),
    delay: (millis) => command(`delay ${millis}`),
    stop: async () => {
      const exited = new Promise((resolve) => child.once("exit", resolve))
      child.stdin.end()
      await exited
    }
  }
}
