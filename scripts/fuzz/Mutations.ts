/** Responses to a request with a body: those of stores and proxies, and some that no server would send. */
import { createHash } from "node:crypto"
import type { Random } from "../simulate/Random.ts"

/** An answer, before it is put on the wire. */
export interface Answer {
  status: string
  headers: Array<[name: string, value: string]>
  body: string
  /** How many bytes of the answer are sent before the connection ends. */
  cutAt: number | undefined
  end: "close" | "reset" | "silence"
  /** Whether its body is a page or an error. */
  isBodyWrong: boolean
  /** Whether its checksum is that of other content. */
  isChecksumWrong: boolean
}

export const success = (body: Buffer): Answer => ({
  status: "HTTP/1.1 200 OK",
  headers: [
    ["Date", new Date().toUTCString()],
    ["x-amz-request-id", "fuzz"],
    ["ETag", `"${createHash("md5").update(body).digest("hex")}"`],
    ["x-amz-checksum-sha256", createHash("sha256").update(body).digest("base64")]
  ],
  body: "",
  cutAt: undefined,
  end: "close",
  isBodyWrong: false,
  isChecksumWrong: false
})

type Mutation = (answer: Answer, random: Random) => void

const pick = <A>(random: Random, choices: ReadonlyArray<A>): A => choices[random.below(choices.length)]!

const letters = (random: Random, length: number): string =>
  Array.from({ length }, () => String.fromCharCode(33 + random.below(94))).join("")

const bytes = (random: Random, length: number): string =>
  Array.from({ length }, () => String.fromCharCode(random.below(256))).join("")

const codes = [
  "SlowDown",
  "InternalError",
  "RequestTimeout",
  "BadDigest",
  "InvalidRequest",
  "NoSuchKey",
  "EntityTooLarge"
]
/** These answers end the run, so they are rare. */
const endings = ["AccessDenied", "NoSuchBucket", "RequestTimeTooSkewed", "ExpiredToken", "PermanentRedirect"]

const errorDocument = (code: string, random: Random) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${bytes(random, random.below(40))}</Message></Error>`

const set = (answer: Answer, name: string, value: string) => {
  answer.headers = [...answer.headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase()), [name, value]]
}

const refuse = (answer: Answer, status: number, random: Random) => {
  answer.status = `HTTP/1.1 ${status} ${letters(random, 8)}`
  answer.body = pick(random, ["", "<html><body>no</body></html>", bytes(random, 300), "<Error><Code>"])
  if (random.chance(0.7)) answer.body = errorDocument(pick(random, codes), random)
}

const mutations: ReadonlyArray<Mutation> = [
  (answer, random) =>
    refuse(answer, pick(random, [400, 408, 409, 411, 412, 413, 416, 429, 500, 501, 502, 503, 504, 507, 599]), random),
  (answer, random) => refuse(answer, 300 + random.below(300), random),
  (answer, random) => {
    if (random.chance(0.9)) return
    refuse(answer, pick(random, [301, 400, 401, 403, 404]), random)
    answer.body = errorDocument(pick(random, endings), random)
  },
  // responses with status 200 that are not a success
  (answer, random) => {
    answer.isBodyWrong = true
    answer.body = pick(random, ["<html><body>Please log in</body></html>", errorDocument(pick(random, codes), random)])
    if (random.chance(0.5)) set(answer, "Content-Type", pick(random, ["text/html", "application/xml", "text/plain"]))
  },
  (answer, random) => {
    answer.isChecksumWrong = true
    set(answer, "x-amz-checksum-sha256", createHash("sha256").update(letters(random, 5)).digest("base64"))
  },
  // unusual responses that are a success
  (answer, random) => set(answer, "ETag", pick(random, ["", '"', '""', 'W/"x"', letters(random, 2000), "a-3"])),
  (answer) => {
    answer.headers = answer.headers.filter(([name]) => name === "Date")
  },
  (answer, random) =>
    set(
      answer,
      "Date",
      pick(random, [
        "",
        "tomorrow",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        letters(random, 40)
      ])
    ),
  (answer, random) =>
    set(
      answer,
      "Retry-After",
      pick(random, ["0", "1", "-1", "1e9", "soon", "Fri, 31 Dec 9999 23:59:59 GMT", "99999999999999999999"])
    ),
  (answer, random) =>
    set(
      answer,
      letters(random, 1 + random.below(20)).replaceAll(":", ""),
      bytes(random, random.below(60)).replaceAll(/[\r\n]/g, "")
    ),
  (answer, random) => {
    for (let count = random.below(300); count > 0; count--) answer.headers.push([`x-${count}`, letters(random, 100)])
  },
  (answer, random) => set(answer, "x-amz-version-id", pick(random, ["null", "\u0007", letters(random, 3000)])),
  (answer, random) => set(answer, "Connection", pick(random, ["close", "keep-alive", "upgrade", letters(random, 5)])),
  // broken framing
  (answer, random) =>
    set(answer, "Content-Length", pick(random, ["-1", "1", "99999999999999999999", "0x0", "0, 0", "0,1", " "])),
  (answer, random) => {
    set(answer, "Transfer-Encoding", pick(random, ["chunked", "gzip, chunked", "identity", "chunked, chunked"]))
    answer.body = pick(random, [
      "0\r\n\r\n",
      "5\r\nhello\r\n0\r\n\r\n",
      "zz\r\n",
      "ffffffffffffffff\r\n",
      "1;x=y\r\n \r\n0\r\nA: b\r\n\r\n"
    ])
  },
  (answer, random) => {
    answer.status = pick(random, [
      "HTTP/1.1 200",
      "HTTP/1.0 200 OK",
      "HTTP/2 200 OK",
      "HTTP/1.1 20 OK",
      "HTTP/1.1 2000 OK",
      "ICY 200 OK",
      "SSH-2.0-x",
      letters(random, 50),
      "",
      "HTTP/1.1 204 No Content",
      "HTTP/1.1 999 ?"
    ])
  },
  (answer, random) => {
    answer.status = `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(1 + random.below(20))}${answer.status}`
  },
  // broken connections
  (answer, random) => {
    answer.cutAt = random.below(400)
    answer.end = pick(random, ["close", "reset", "reset", "close", "close", "silence"])
  },
  (answer, random) => {
    answer.end = pick(random, ["close", "reset"])
  }
]

const isFramed = ({ headers }: Answer) => headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))

/** Whether a client can tell from the answer that the object was not stored. False if the answer leaves that open. */
export const isRefusal = (answer: Answer): boolean => {
  // interim responses come before the last status line
  const [, status] = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(answer.status.split("\r\n").at(-1)!) ?? []
  if (status === undefined || answer.cutAt !== undefined) return false
  if (!status.startsWith("2")) return true
  const hasBody = status !== "204" && !isFramed(answer)
  const hasChecksum = answer.headers.some(([name]) => name === "x-amz-checksum-sha256")
  return (answer.isBodyWrong && hasBody) || (answer.isChecksumWrong && hasChecksum)
}

/** A success, mutated up to three times. */
export const mutate = (body: Buffer, random: Random): Answer => {
  const answer = success(body)
  for (let count = random.below(4); count > 0; count--) pick(random, mutations)(answer, random)
  return answer
}

export const onTheWire = (answer: Answer): Buffer => {
  const { body, cutAt, headers, status } = answer
  const all = isFramed(answer) ? headers : [...headers, ["Content-Length", String(body.length)] as const]
  const head = [status, ...all.map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n")
  return Buffer.from(head + body, "latin1").subarray(0, cutAt)
}
