import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { onTestFinished, vi } from "vitest"
import { parseWithNode, parseWithOurs, type ParseResult } from "../../../fixtures/ResponseParsers.ts"

const latin1 = (text: string) => Buffer.from(text, "latin1")
const read = (text: string) => parseWithOurs([latin1(text)])
const answer = (...lines: ReadonlyArray<string>) => `${lines.join("\r\n")}\r\n\r\n`

/** `result`: the fields that matter in this row. */
type Row = readonly [
  what: string,
  text: string,
  result: "malformed" | "incomplete" | Partial<Exclude<ParseResult, string>>
]

const ok = "HTTP/1.1 200 OK"
const chunked = answer(ok, "transfer-encoding: chunked")
const chunkedRefusal = answer("HTTP/1.1 503 No", "transfer-encoding: chunked")
const refused = { status: 503, isReusable: false }
const reusable = { status: 200, isReusable: true }
const notReusable = { status: 200, isReusable: false }

const good: ReadonlyArray<Row> = [
  ["a content length", `${answer(ok, "content-length: 5")}hello`, { ...reusable, body: "hello" }],
  ["no body", answer(ok, "content-length: 0"), { ...reusable, body: "" }],
  ["chunks", `${chunked}3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`, { ...reusable, body: "hello" }],
  ["a chunk size in capitals", `${chunked}A\r\n0123456789\r\n0\r\n\r\n`, { ...reusable, body: "0123456789" }],
  ["a chunk size with leading zeros", `${chunked}000000000005\r\nhello\r\n0\r\n\r\n`, { ...reusable, body: "hello" }],
  ["chunks with extensions", `${chunked}5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n`, { ...reusable, body: "hello" }],
  ["the end of chunks inside a chunk", `${chunked}7\r\na\r\n0\r\n\r\r\n0\r\n\r\n`, { body: "a\r\n0\r\n\r" }],
  ["trailers after the chunks", `${chunked}5\r\nhello\r\n0\r\na: b\r\nc: d\r\n\r\n`, { ...reusable, body: "hello" }],
  ["no chunks", `${chunked}0\r\n\r\n`, { ...reusable, body: "" }],
  ["CHUNKED in capitals", `${answer(ok, "Transfer-Encoding: Chunked")}0\r\n\r\n`, { ...reusable, body: "" }],
  ["a body that ends with the connection", `${answer(ok)}hello`, { ...notReusable, body: "hello" }],
  ["status 204 and no length", answer("HTTP/1.1 204 No Content"), { status: 204, isReusable: true, body: "" }],
  [
    "status 304 and the length of a body that it does not send",
    answer("HTTP/1.1 304 No", "content-length: 5"),
    { status: 304, isReusable: true, body: "" }
  ],
  ["status 100 before it", answer("HTTP/1.1 100 Continue") + answer(ok, "content-length: 0"), reusable],
  [
    "statuses 100 and 103 before it",
    answer("HTTP/1.1 100 A") + answer("HTTP/1.1 103 B", "a: b") + answer(ok, "content-length: 0"),
    reusable
  ],
  ["a status without a reason", answer("HTTP/1.1 200 ", "content-length: 0"), reusable],
  ["a reason that is not ASCII", answer("HTTP/1.1 200 d\xe9j\xe0", "content-length: 0"), reusable],
  ["Connection: close", answer(ok, "content-length: 0", "Connection: Close"), notReusable],
  ["close in a list", answer(ok, "content-length: 0", "connection: a, close ,b"), notReusable],
  [
    "close in the second of two",
    answer(ok, "content-length: 0", "connection: keep-alive", "connection: close"),
    notReusable
  ],
  ["close as a part of a word", answer(ok, "content-length: 0", "connection: enclosed"), reusable],
  ["HTTP/1.0", answer("HTTP/1.0 200 OK", "content-length: 0"), notReusable],
  ["HTTP/1.0 with keep-alive", answer("HTTP/1.0 200 OK", "content-length: 0", "connection: Keep-Alive"), reusable],
  [
    "a repeated header",
    answer(ok, "content-length: 0", "etag: a", "ETag: b"),
    { headers: { "content-length": "0", etag: "a" } }
  ],
  [
    "whitespace around values",
    answer(ok, "content-length:\t0 ", "a:b", "c:", "d: \t e  f \t"),
    { headers: { "content-length": "0", a: "b", c: "", d: "e  f" } }
  ],
  [
    "values that are not ASCII",
    answer(ok, "content-length: 0", "a: \xc3\xa0"),
    { headers: { "content-length": "0", a: "\xc3\xa0" } }
  ],
  ["the name of a property that every object has", answer(ok, "content-length: 0", "__proto__: a"), reusable],
  ["all characters that a name may have", answer(ok, "content-length: 0", "a!#$%&'*+.^_`|~-9: b"), reusable],
  [
    "another transfer coding inside chunks",
    `${answer(ok, "transfer-encoding: gzip, chunked")}1\r\nx\r\n0\r\n\r\n`,
    { ...reusable, body: "x" }
  ],
  [
    "another transfer coding without chunks",
    `${answer(ok, "transfer-encoding: gzip")}x`,
    { ...notReusable, body: "x" }
  ],
  ["surplus bytes after it", `${answer(ok, "content-length: 1")}x${answer(ok)}`, { ...notReusable, body: "x" }]
]

/** Responses that this parser and Node's client treat differently. */
const unlikeNode: ReadonlyArray<Row> = [
  // RFC 9112: the chunks count (section 6.3), and the connection is not reused (section 6.1)
  [
    "a length besides chunks",
    `${answer(ok, "content-length: 9", "transfer-encoding: chunked")}1\r\nx\r\n0\r\n\r\n`,
    { ...notReusable, body: "x" }
  ],
  [
    "chunks in HTTP/1.0",
    `${answer("HTTP/1.0 200 OK", "connection: keep-alive", "transfer-encoding: chunked")}1\r\nx\r\n0\r\n\r\n`,
    { ...notReusable, body: "x" }
  ],
  // RFC 9112, section 6.3: repeated equal lengths may count as one
  ["the same length twice", `${answer(ok, "content-length: 1", "content-length: 1")}x`, { ...reusable, body: "x" }],
  ["a status without a space after it", answer("HTTP/1.1 200", "content-length: 0"), reusable],
  // RFC 9112, section 5.2: a client replaces the line break with a space
  [
    "a folded line",
    answer(ok, "content-length: 0", "a: b", "\t c", " d: e"),
    { headers: { "content-length": "0", a: "b c d: e" } }
  ],
  ["a status of no known class", answer("HTTP/1.1 000 None", "content-length: 0"), "malformed"],
  ["a switch to another protocol", answer("HTTP/1.1 101 Switching", "upgrade: h2c"), "malformed"],
  ["another version", answer("HTTP/2.0 200 OK"), "malformed"]
]

const bad: ReadonlyArray<Row> = [
  ["two lengths", `${answer(ok, "content-length: 1", "content-length: 2")}xx`, "malformed"],
  ["two lengths in one line", `${answer(ok, "content-length: 1, 2")}xx`, "malformed"],
  ["a length that is not a number", answer(ok, "content-length: 1e3"), "malformed"],
  ["a length with a sign", answer(ok, "content-length: +1"), "malformed"],
  ["no length", answer(ok, "content-length:"), "malformed"],
  ["lines that end in LF", "HTTP/1.1 200 OK\ncontent-length: 0\n\n", "malformed"],
  ["one line that ends in LF", answer(ok, "a: b\ncontent-length: 0"), "malformed"],
  ["a CR in a value", answer(ok, "a: b\rc", "content-length: 0"), "malformed"],
  ["a NUL in a value", answer(ok, "a: b\0c", "content-length: 0"), "malformed"],
  ["a line without a colon", answer(ok, "nonsense", "content-length: 0"), "malformed"],
  ["a line without a name", answer(ok, ": a", "content-length: 0"), "malformed"],
  ["a space before the colon", answer(ok, "content-length : 0"), "malformed"],
  ["a no-break space before the first name", answer(ok, "\u00a0a: b", "content-length: 0"), "malformed"],
  ["a status of two digits", answer("HTTP/1.1 20 OK"), "malformed"],
  ["a status of four digits", answer("HTTP/1.1 2000 OK"), "malformed"],
  ["http in lower case", answer("http/1.1 200 OK"), "malformed"],
  ["a chunk without a size", `${chunked}\r\nhello\r\n`, "malformed"],
  ["a chunk size that is not a number", `${chunked}zz\r\n`, "malformed"],
  ["a chunk size with a sign", `${chunked}+5\r\nhello\r\n`, "malformed"],
  ["a chunk that is longer than its size", `${chunked}4\r\nhello\r\n0\r\n\r\n`, "malformed"],
  ["a chunk line that ends in LF", `${chunked}5\nhello\r\n0\r\n\r\n`, "malformed"],
  ["SSH", "SSH-2.0-OpenSSH_9.2p1\r\n", "malformed"],
  ["FTP", "220 ", "malformed"],
  ["a TLS alert", "\x15\x03\x03\x00\x02\x02\x46", "malformed"],
  ["HTTP/2", "\x00\x00\x12\x04\x00\x00\x00\x00\x00", "malformed"],
  ["a page without a head", "<html>", "malformed"],
  ["an endless head", `${ok}\r\n${"a: b\r\n".repeat(20_000)}`, "malformed"],
  ["an endless line", `${ok} ${"x".repeat(20_000)}`, "malformed"],
  ["endless trailers after the chunks", `${chunked}0\r\n${"a: b\r\n".repeat(20_000)}`, "malformed"],
  ["an endless chunk line", `${chunked}5;${"x".repeat(20_000)}`, "malformed"]
]

const unfinished: ReadonlyArray<Row> = [
  ["nothing", "", "incomplete"],
  ["the start of a status line", "HTTP/1.1 20", "incomplete"],
  ["a head without its end", `${ok}\r\ncontent-length: 0\r\n`, "incomplete"],
  ["half a body", `${answer(ok, "content-length: 5")}he`, "incomplete"],
  ["half a chunk", `${chunked}5\r\nhe`, "incomplete"],
  ["chunks without the last one", `${chunked}5\r\nhello\r\n`, "incomplete"],
  ["chunks without the last line", `${chunked}5\r\nhello\r\n0\r\n`, "incomplete"],
  ["an interim response alone", answer("HTTP/1.1 100 Continue"), "incomplete"]
]

/** Refusals whose body is incomplete, malformed or too long: the head is sufficient. */
const refusals: ReadonlyArray<Row> = [
  ["half a body", `${answer("HTTP/1.1 503 No", "content-length: 9")}<Err`, { ...refused, body: "<Err" }],
  ["half a chunk", `${chunkedRefusal}4\r\n<Err\r\n9\r\nor`, { ...refused, body: "<Error" }],
  ["a chunk without a size", `${chunkedRefusal}4\r\n<Err\r\nzz\r\n`, { ...refused, body: "<Err" }],
  ["a chunk that is too long", `${chunkedRefusal}ffffffff\r\n<Error>`, { ...refused, body: "" }],
  [
    "a body that is too long",
    `${answer("HTTP/1.1 503 No", "content-length: 9999999")}<Error>`,
    { ...refused, body: "" }
  ]
]

describe("a response", () => {
  it.each(good)("is read with %s, as Node does", async (_, text, result) => {
    expect(read(text)).toMatchObject(Object(result))
    const { headers: _headers, isReusable: _isReusable, ...rest } = Object(result) as Record<string, unknown>
    expect(await parseWithNode(latin1(text))).toMatchObject(rest)
  })

  it.each(bad)("is malformed with %s", (_, text, result) => {
    expect(read(text)).toBe(result)
  })

  it.each(unfinished)("is incomplete with %s", (_, text, result) => {
    expect(read(text)).toBe(result)
  })

  it.each(unlikeNode)("is read with %s as in RFC 9112", (_, text, result) => {
    const outcome = read(text)
    if (typeof result === "string") expect(outcome).toBe(result)
    else expect(outcome).toMatchObject(result)
  })

  it.each(refusals)("that refuses the request is returned even with %s", (_, text, result) => {
    expect(read(text)).toMatchObject(Object(result))
  })

  it.each([16 * 1024, 16 * 1024 + 1])("has a head of 16 KiB at most: %i", (bytes) => {
    const start = `${ok}\r\ncontent-length: 0\r\na: `
    const text = `${start}${"x".repeat(bytes - start.length)}\r\n\r\n`
    const expected = bytes > 16 * 1024 ? "malformed" : expect.objectContaining(reusable)
    expect(read(text)).toEqual(expected)
    expect(parseWithOurs([...latin1(text)].map((byte) => Buffer.of(byte)))).toEqual(expected)
  })

  const MiB = 1024 ** 2
  it.each([
    ["a length", (bytes: number) => `${answer(ok, `content-length: ${bytes}`)}${"x".repeat(bytes)}`],
    ["no length", (bytes: number) => `${answer(ok)}${"x".repeat(bytes)}`],
    ["chunks", (bytes: number) => `${chunked}${bytes.toString(16)}\r\n${"x".repeat(bytes)}\r\n0\r\n\r\n`],
    [
      "two chunks",
      (bytes: number) => `${chunked}1\r\nx\r\n${(bytes - 1).toString(16)}\r\n${"x".repeat(bytes - 1)}\r\n0\r\n\r\n`
    ]
  ])("has a body of 1 MiB at most with %s", (_, text) => {
    expect(read(text(MiB))).toMatchObject({ status: 200 })
    expect(read(text(MiB + 1))).toBe("malformed")
  })

  it("is malformed as soon as the line with its length is too long", () => {
    expect(read(answer(ok, "content-length: 999999999999999"))).toBe("malformed")
    expect(read(`${chunked}ffffffffffffffff\r\n`)).toBe("malformed")
  })

  it.each([
    ["a length", `${answer(ok, `content-length: ${MiB}`)}${"x".repeat(MiB)}`],
    ["one chunk", `${chunked}${MiB.toString(16)}\r\n${"x".repeat(MiB)}\r\n0\r\n\r\n`],
    ["chunks of a byte", `${chunked}${"1\r\nx\r\n".repeat(MiB / 8)}0\r\n\r\n`],
    ["an extension", `${chunked}1;${"e".repeat(10_000)}\r\nx\r\n0\r\n\r\n`]
  ])("copies each byte a few times if the bytes arrive one by one: %s", (_, text) => {
    const allocate = vi.spyOn(Buffer, "allocUnsafe")
    const concat = vi.spyOn(Buffer, "concat")
    onTestFinished(() => void vi.restoreAllMocks())
    const bytes = latin1(text)
    expect(parseWithOurs(Array.from(bytes, (_byte, at) => bytes.subarray(at, at + 1)))).toMatchObject(reusable)
    const copied = allocate.mock.calls.reduce((sum, [size]) => sum + size, 0)
    expect(copied).toBeGreaterThan(0)
    expect(copied).toBeLessThan(10 * bytes.length)
    expect(concat).not.toHaveBeenCalled()
  })

  it("is read in linear time with many spaces", () => {
    const blanks = " ".repeat(16_000)
    expect(read(answer(ok, "content-length: 0", `a: ${blanks}x${blanks.slice(15_800)}`))).toMatchObject(reusable)
  })
})

const everything = [...good, ...unlikeNode, ...bad, ...unfinished, ...refusals].map(([, text]) => text)

/** Answers with small changes. */
const mutated = fc
  .tuple(
    fc.constantFrom(...everything.filter(({ length }) => length < 1000)),
    fc.array(fc.tuple(fc.nat(400), fc.nat(3), fc.constantFrom("", "\r", "\n", "\r\n", ":", " ", "0", "5", ",", ";")), {
      maxLength: 2
    })
  )
  .map(([text, changes]) =>
    changes.reduce((now, [at, remove, insert]) => now.slice(0, at) + insert + now.slice(at + remove), text)
  )

const split = (bytes: Buffer, offsets: ReadonlyArray<number>) => {
  const ends = [...offsets.map((offset) => offset % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end))
}

describe("the boundaries of received pieces", () => {
  it("do not affect the result", () => {
    fc.assert(
      fc.property(mutated, fc.array(fc.nat(), { maxLength: 8 }), (text, offsets) => {
        expect(parseWithOurs(split(latin1(text), offsets))).toEqual(read(text))
      }),
      { numRuns: 5000 }
    )
  })

  it("do not affect the result if each piece is one byte", () => {
    for (const text of everything) {
      expect(parseWithOurs([...latin1(text)].map((byte) => Buffer.of(byte)))).toEqual(read(text))
    }
  })
})

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/)
const values = fc.stringMatching(/^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]{0,20}[!-~\x80-\xff])?)?$/)
const blanks = fc.stringMatching(/^[ \t]{0,3}$/)
const framingHeaders =
  /^(connection|content-length|transfer-encoding|keep-alive|upgrade|trailer|proxy-connection|__proto__|set-cookie)$/i
const chunk = fc.tuple(
  fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 40 }),
  fc.constantFrom("", ";a=b", ";c")
)
const framed = fc.oneof(
  fc.string({ unit: "binary-ascii", maxLength: 60 }).map((body) => [`content-length: ${body.length}`, body] as const),
  fc.string({ unit: "binary-ascii", maxLength: 60 }).map((body) => ["connection: close", body] as const),
  fc
    .array(chunk, { maxLength: 4 })
    .map(
      (chunks) =>
        [
          "transfer-encoding: chunked",
          `${chunks.map(([text, more]) => `${text.length.toString(16)}${more}\r\n${text}\r\n`).join("")}0\r\n\r\n`
        ] as const
    )
)
const valid = fc
  .record({
    minor: fc.constantFrom(1),
    status: fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304),
    headers: fc.uniqueArray(
      fc.tuple(
        token.filter((name) => !framingHeaders.test(name)),
        blanks,
        values,
        blanks
      ),
      {
        maxLength: 5,
        selector: ([name]) => name.toLowerCase()
      }
    ),
    announced: fc.boolean(),
    framed
  })
  .map(({ announced, framed: [framing, body], headers, minor, status }) => {
    const lines = headers.map(([name, before, value, after]) => `${name}:${before}${value}${after}`)
    const head = answer(`HTTP/1.${minor} ${status} Some Reason`, ...lines, framing)
    return `${announced ? answer("HTTP/1.1 100 Continue") : ""}${head}${body}`
  })

describe("Node's client", () => {
  it("reads valid responses in the same way", () =>
    fc.assert(
      fc.asyncProperty(valid, async (text) => {
        const { isReusable: _, ...answered } = Object(read(text))
        expect(answered).toEqual(await parseWithNode(latin1(text)))
      }),
      { numRuns: 500 }
    ))

  it.each(bad)("refuses %s as well", async (_, text) => {
    expect(await parseWithNode(latin1(text))).not.toMatchObject({ status: expect.anything() })
  })

  it.each(unfinished)("waits for the rest of %s as well", async (_, text) => {
    expect(await parseWithNode(latin1(text))).toBe("incomplete")
  })
})
