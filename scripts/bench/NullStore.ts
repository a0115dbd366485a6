/** The store that keeps nothing, in C (null-store/): compiled for the occasion, so that clients are measured and not it. */
import { execFileSync, spawn } from "node:child_process"
import { globSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { generate } from "selfsigned"

/** What it has seen since it was last reset. */
export interface Counters {
  /** Of all PutObject and UploadPart. */
  readonly put: number
  readonly parts: number
  readonly post: number
  readonly head: number
  readonly get: number
  readonly delete: number
  /** Of bodies, as they were sent. */
  readonly bytes: number
  readonly connections: number
  readonly mostInFlight: number
  /** Seconds that the store itself took, since it started. */
  readonly cpu: number
}

export interface NullStore {
  readonly http: string
  readonly https: string
  /** The file with the certificate to trust (PEM). */
  readonly authority: string
  readonly counters: () => Promise<Counters>
  readonly reset: () => Promise<Counters>
  /** Every answer waits so long, from now on. */
  readonly delay: (millis: number) => Promise<Counters>
  readonly stop: () => Promise<void>
}

const sources = globSync(join(import.meta.dirname, "null-store", "*.c"))

const compiled = (folder: string): string => {
  const program = join(folder, "null-store")
  const flags = ["-O2", "-std=c11", "-Wall", "-Wextra", "-pthread"]
  try {
    execFileSync("cc", [...flags, ...sources, "-o", program, "-lssl", "-lcrypto"], { stdio: "pipe" })
  } catch (cause) {
    const hint = "it takes a C compiler (cc) and OpenSSL's headers: apt-get install gcc libc6-dev libssl-dev"
    throw new Error(`the null store cannot be compiled; ${hint}`, { cause })
  }
  return program
}

/** Compiles and starts one; its files go into the folder, which is the caller's to remove. */
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
  const child = spawn(compiled(folder), [certificateFile, keyFile], { stdio: ["pipe", "pipe", "inherit"] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async (): Promise<unknown> => {
    const { done, value } = await lines.next()
    if (done === true) throw new Error("the null store has ended")
    return JSON.parse(value)
  }
  const ports = (await answer()) as { http: number; https: number }
  const command = async (line: string) => {
    child.stdin.write(`${line}\n`)
    return (await answer()) as Counters
  }
  return {
    http: `http://127.0.0.1:${ports.http}`,
    https: `https://127.0.0.1:${ports.https}`,
    authority: certificateFile,
    counters: () => command("counters"),
    reset: () => command("reset"),
    delay: (millis) => command(`delay ${millis}`),
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve))
      child.stdin.end()
      await ended
    }
  }
}
