import { randomUUID } from "node:crypto"
import { checksum, md5, sha256 } from "./Checksums.ts"
import { userMetadata } from "./Guards.ts"
import { S3Error } from "./Responses.ts"
import type { Headers, StoredVersion } from "./Types.ts"

/** The latest upload of a part. */
export interface Part {
  body: Buffer
  etag: string
}

/** A multipart upload that is neither completed nor aborted. */
export interface Upload {
  key: string
  uploadId: string
  headers: Headers
  parts: Map<number, Part>
}

interface Entry {
  versions: StoredVersion[]
  deleted: boolean
}

/** The objects and open uploads of one bucket. */
export class Bucket {
  readonly uploads = new Map<string, Upload>()
  readonly #entries = new Map<string, Entry>()
  readonly #conditional = new Map<string, object[]>()
  readonly #keepBodies: boolean

  constructor(keepBodies: boolean) {
    this.#keepBodies = keepBodies
  }

  keys(): string[] {
    return [...this.#entries].flatMap(([key, entry]) => (entry.deleted ? [] : [key])).sort()
  }

  latest(key: string): StoredVersion | undefined {
    const entry = this.#entries.get(key)
    return entry === undefined || entry.deleted ? undefined : entry.versions.at(-1)
  }

  versions(key: string): readonly StoredVersion[] {
    return this.#entries.get(key)?.versions ?? []
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) entry.deleted = true
  }

  /** Stores a version and makes it the latest. */
  store(
    key: string,
    headers: Headers,
    body: Buffer,
    rest: Pick<StoredVersion, "checksum" | "parts"> & { etag?: string }
  ): StoredVersion {
    const version: StoredVersion = {
      versionId: randomUUID().replaceAll("-", ""),
      key,
      body: this.#keepBodies ? body : Buffer.alloc(0),
      size: body.length,
      sha256: sha256(body).toString("hex"),
      etag: rest.etag ?? md5(body).toString("hex"),
      contentType: headers["content-type"],
      metadata: userMetadata(headers),
      headers,
      checksum: rest.checksum,
      storedAt: Date.now(),
      parts: rest.parts
    }
    const entry = this.#entries.get(key) ?? { versions: [], deleted: false }
    entry.versions.push(version)
    entry.deleted = false
    this.#entries.set(key, entry)
    return version
  }

  /**
   * Announces a conditional write until the returned function is called. Of several announced writes, the first one
   * wins.
   */
  announce(key: string, writer: object): () => void {
    const waiting = this.#conditional.get(key) ?? []
    waiting.push(writer)
    this.#conditional.set(key, waiting)
    return () => {
      waiting.splice(waiting.indexOf(writer), 1)
      if (waiting.length === 0 && this.#conditional.get(key) === waiting) this.#conditional.delete(key)
    }
  }

  /** Throws if the key exists, or if an earlier conditional write is about to create it. */
  mustBeNew(key: string, writer: object): void {
    if (this.latest(key) !== undefined) {
      throw new S3Error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
        Condition: "If-None-Match"
      })
    }
    const first = this.#conditional.get(key)?.[0]
    if (first === undefined || first === writer) return
    throw new S3Error(
      409,
      "ConditionalRequestConflict",
      "A conflicting conditional operation is currently in progress against this resource. Please try again."
    )
  }

  openUpload(key: string, uploadId: string | undefined): Upload {
    const upload = this.uploads.get(uploadId ?? "")
    if (upload?.key === key) return upload
    throw new S3Error(
      404,
      "NoSuchUpload",
      "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )
  }
}

/** The checksum of a whole upload, as S3 returns it: a checksum of the parts' checksums, or of all bytes. */
export const wholeChecksum = (upload: Upload, bodies: readonly Buffer[]): readonly [string, string] | undefined => {
  const algorithm = upload.headers["x-amz-checksum-algorithm"]?.toLowerCase()
  if (algorithm === undefined) return undefined
  const name = `x-amz-checksum-${algorithm}`
  if (upload.headers["x-amz-checksum-type"] === "FULL_OBJECT") {
    return [name, checksum(algorithm, Buffer.concat(bodies)).toString("base64")]
  }
  const composite = checksum(algorithm, Buffer.concat(bodies.map((body) => checksum(algorithm, body))))
  return [name, `${composite.toString("base64")}-${bodies.length}`]
}
