import { randomUUID } from "node:crypto"
import type { Dialect } from "./Dialect.ts"
import { checksum, md5, sentChecksum, verifyChecksums } from "./Checksums.ts"
import { checkObjectHeaders } from "./Guards.ts"
import { type Bucket, type Part, type Upload, wholeChecksum } from "./Objects.ts"
import { document, element, S3Error, unescapeXml } from "./Responses.ts"
import type { Answer, Call, StrictS3Options } from "./Types.ts"

export const createUpload = (bucket: Bucket, call: Call): Answer => {
  const echoed = checkObjectHeaders(call.headers)
  const algorithm = call.headers["x-amz-checksum-algorithm"]
  // throws for an algorithm that this server cannot compute
  if (algorithm !== undefined) checksum(algorithm.toLowerCase(), Buffer.alloc(0))
  const uploadId = randomUUID().replaceAll("-", "")
  bucket.uploads.set(uploadId, { key: call.key, uploadId, headers: call.headers, parts: new Map() })
  const content = [element("Bucket", call.bucket), element("Key", call.key), element("UploadId", uploadId)].join("")
  return document("InitiateMultipartUploadResult", content, {
    ...echoed,
    ...(algorithm === undefined
      ? {}
      : {
          "x-amz-checksum-algorithm": algorithm,
          "x-amz-checksum-type": call.headers["x-amz-checksum-type"] ?? "COMPOSITE"
        })
  })
}

/** What the server requires of parts. */
export type Limits = Required<Pick<StrictS3Options, "minPartBytes" | "dialect">>

export const uploadPart = (bucket: Bucket, call: Call, { dialect }: Limits): Answer => {
  const number = call.query.get("partNumber") ?? ""
  const { maxParts = 10_000 } = dialect
  if (!/^\d{1,5}$/.test(number) || Number(number) < 1 || Number(number) > maxParts) {
    throw new S3Error(400, "InvalidArgument", `Part number must be an integer between 1 and ${maxParts}, inclusive`, {
      ArgumentName: "partNumber",
      ArgumentValue: number
    })
  }
  const upload = bucket.openUpload(call.key, call.query.get("uploadId"))
  const expected = upload.headers["x-amz-checksum-algorithm"]?.toLowerCase()
  const actual = sentChecksum(call.headers)?.algorithm
  if (expected !== undefined && actual !== expected) {
    throw new S3Error(
      400,
      "InvalidRequest",
      `Checksum Type mismatch occurred, expected checksum Type: ${expected}, actual checksum Type: ${actual ?? "null"}`
    )
  }
  const echoed = verifyChecksums(call.headers, call.body)
  const etag = md5(call.body).toString("hex")
  upload.parts.set(Number(number), { body: call.body, etag })
  return { status: 200, headers: { etag: `"${etag}"`, ...(dialect.plainParts === true ? {} : echoed) } }
}

interface ClaimedPart {
  number: number
  etag: string
  /** The checksums of the part, by algorithm in lower case. */
  checksums: ReadonlyMap<string, string>
}

const parseParts = (xml: string): ClaimedPart[] =>
  [...xml.matchAll(/<Part>([\s\S]*?)<\/Part>/g)].map(([, content = ""]) => {
    const text = (name: string) => unescapeXml(new RegExp(`<${name}>([^<]*)</${name}>`).exec(content)?.[1] ?? "").trim()
    const checksums = [...content.matchAll(/<Checksum(\w+)>([^<]*)<\/Checksum\1>/g)]
    return {
      number: Number(text("PartNumber")),
      etag: text("ETag").replace(/^"(.*)"$/, "$1"),
      checksums: new Map(checksums.map(([, algorithm = "", value = ""]) => [algorithm.toLowerCase(), value]))
    }
  })

const invalidPart = (number: number) =>
  new S3Error(
    400,
    "InvalidPart",
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { PartNumber: String(number) }
  )

const checkPart = (upload: Upload, claimed: ClaimedPart, dialect: Dialect): Part => {
  const part = upload.parts.get(claimed.number)
  if (part === undefined || part.etag !== claimed.etag) throw invalidPart(claimed.number)
  for (const [algorithm, value] of claimed.checksums) {
    if (checksum(algorithm, part.body).toString("base64") !== value) throw invalidPart(claimed.number)
  }
  const expected = upload.headers["x-amz-checksum-algorithm"]?.toLowerCase()
  const whole = upload.headers["x-amz-checksum-type"] === "FULL_OBJECT"
  if (expected !== undefined && !whole && dialect.plainParts !== true && !claimed.checksums.has(expected)) {
    throw new S3Error(
      400,
      "InvalidRequest",
      `The upload was created using a ${expected} checksum. The complete request must include the checksum for each part. It was missing for part ${claimed.number} in the request.`
    )
  }
  return part
}

/** Whether the object must be new. */
export const isConditional = ({ headers, record }: Call, { ignoresCondition = [] }: Dialect): boolean =>
  headers["if-none-match"] !== undefined && !ignoresCondition.includes(record.operation)

export const completeUpload = (bucket: Bucket, call: Call, { dialect, minPartBytes }: Limits): Answer => {
  const upload = bucket.openUpload(call.key, call.query.get("uploadId"))
  const claimed = parseParts(call.body.toString())
  if (claimed.length === 0) {
    throw new S3Error(400, "MalformedXML", "The XML you provided was not well-formed or did not validate.")
  }
  if (claimed.some((part, index) => index > 0 && part.number <= (claimed[index - 1]?.number ?? 0))) {
    throw new S3Error(400, "InvalidPartOrder", "The list of parts was not in ascending order.")
  }
  const malformed = dialect.plainParts === true && claimed.some(({ checksums }) => checksums.size > 0)
  if (malformed) throw new S3Error(400, "MalformedXML", "The XML did not validate against our published schema.")
  const parts = claimed.map((part) => checkPart(upload, part, dialect))
  const small = parts.slice(0, -1).find((part) => part.body.length < minPartBytes)
  if (small !== undefined) {
    throw new S3Error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", {
      ProposedSize: String(small.body.length),
      MinSizeAllowed: String(minPartBytes)
    })
  }
  const bodies = parts.map((part) => part.body)
  const whole = wholeChecksum(upload, bodies)
  const sent = sentChecksum(call.headers)
  if (sent !== undefined && (whole?.[0] !== `x-amz-checksum-${sent.algorithm}` || whole[1] !== sent.value)) {
    throw new S3Error(400, "BadDigest", "The checksum you specified did not match the calculated checksum.")
  }
  const body = Buffer.concat(bodies)
  const size = call.headers["x-amz-mp-object-size"]
  if (size !== undefined && Number(size) !== body.length) {
    throw new S3Error(400, "InvalidRequest", "The provided 'x-amz-mp-object-size' header value does not match.")
  }
  if (isConditional(call, dialect)) bucket.mustBeNew(call.key, call.record)
  const digest = md5(Buffer.concat(parts.map((part) => Buffer.from(part.etag, "hex")))).toString("hex")
  const etag = `${digest}-${parts.length}`
  const version = bucket.store(call.key, upload.headers, body, { etag, checksum: whole, parts: parts.length })
  bucket.uploads.delete(upload.uploadId)
  const content = [
    element("Bucket", call.bucket),
    element("Key", call.key),
    element("ETag", `"${etag}"`),
    ...(whole === undefined
      ? []
      : [
          element(`Checksum${whole[0].slice("x-amz-checksum-".length).toUpperCase()}`, whole[1]),
          element("ChecksumType", upload.headers["x-amz-checksum-type"] ?? "COMPOSITE")
        ])
  ]
  return document("CompleteMultipartUploadResult", content.join(""), {
    ...checkObjectHeaders(upload.headers),
    "x-amz-version-id": version.versionId
  })
}

export const abortUpload = (bucket: Bucket, call: Call): Answer => {
  bucket.uploads.delete(bucket.openUpload(call.key, call.query.get("uploadId")).uploadId)
  return { status: 204 }
}

/** Lists all multipart uploads in one page. */
export const listUploads = (bucket: Bucket, call: Call): Answer => {
  const prefix = call.query.get("prefix") ?? ""
  const uploads = [...bucket.uploads.values()].filter((upload) => upload.key.startsWith(prefix))
  const listed = uploads.map(
    ({ key, uploadId }) => `<Upload>${element("Key", key)}${element("UploadId", uploadId)}</Upload>`
  )
  const content = element("Bucket", call.bucket) + element("IsTruncated", "false") + listed.join("")
  return document("ListMultipartUploadsResult", content)
}
