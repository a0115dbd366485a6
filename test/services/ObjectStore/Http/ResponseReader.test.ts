import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { parseWithNode, parseWithOurs, type ParseResult } from "../../../fixtures/ResponseParsers.ts"

const latin1 = (text: string) => Buffer.from(text, "latin1")
const read = (text: string) => parseWithOurs([latin1(text)])
const answer = (...lines: ReadonlyArray<string>) => `${lines.join("\r\n")}\r\n\r\n`

/** Of what is understood, what matters in this row. */
type Said = readonly [what: string, text: string, understood: "garbled" | "cut" | Partial<Exclude<ParseResult, string>>]

const ok = "HTTP/1.1 200 OK"
const chunked = answer(ok, "transfer-encoding: chunked")
const said = (coding: string) => answer("HTTP/1.1 503 No", `transfer-encoding: ${coding}`)
const refused = { status: 503, isReusable: false }
const kept = { status: 200, isReusable: true }
const last = { status: 200, isReusable: false }

const good: ReadonlyArray<Said> = [
  ["a body of a length", `${answer(ok, "content-length: 5")}hello`, { ...kept, body: "hello" }],
  ["no body", answer(ok, "content-length: 0"), { ...kept, body: "" }],
  ["chunks", `${chunked}3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`, { ...kept, body: "hello" }],
  ["chunks in capitals", `${chunked}A\r\n0123456789\r\n0\r\n\r\n`, { ...kept, body: "0123456789" }],
  [
    "a chunk whose size has zeros before it",
    `${chunked}000000000005\r\nhello\r\n0\r\n\r\n`,
    { ...kept, body: "hello" }
  ],
  ["chunks with extensions", `${chunked}5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n`, { ...kept, body: "hello" }],
  ["a chunk that holds what chunks end with", `${chunked}7\r\na\r\n0\r\n\r\r\n0\r\n\r\n`, { body: "a\r\n0\r\n\r" }],
  ["lines after the chunks", `${chunked}5\r\nhello\r\n0\r\na: b\r\nc: d\r\n\r\n`, { ...kept, body: "hello" }],
  ["no chunks", `${chunked}0\r\n\r\n`, { ...kept, body: "" }],
  ["CHUNKED in capitals", `${answer(ok, "Transfer-Encoding: Chunked")}0\r\n\r\n`, { ...kept, body: "" }],
  ["a body that ends with the connection", `${answer(ok)}hello`, { ...last, body: "hello" }],
  ["204, and no length", answer("HTTP/1.1 204 No Content"), { status: 204, isReusable: true, body: "" }],
  [
    "304 with the length of what it does not send",
    answer("HTTP/1.1 304 No", "content-length: 5"),
    { status: 304, isReusable: true, body: "" }
  ],
  ["100 before the answer", answer("HTTP/1.1 100 Continue") + answer(ok, "content-length: 0"), kept],
  [
    "100 and 103 before it",
    answer("HTTP/1.1 100 A") + answer("HTTP/1.1 103 B", "a: b") + answer(ok, "content-length: 0"),
    kept
  ],
  ["a status without a reason", answer("HTTP/1.1 200 ", "content-length: 0"), kept],
  ["a reason that is not ASCII", answer("HTTP/1.1 200 d\xe9j\xe0", "content-length: 0"), kept],
  ["Connection: close", answer(ok, "content-length: 0", "Connection: Close"), last],
  ["close in a list", answer(ok, "content-length: 0", "connection: a, close ,b"), last],
  ["close in the second of two", answer(ok, "content-length: 0", "connection: keep-alive", "connection: close"), last],
  ["what only looks like close", answer(ok, "content-length: 0", "connection: enclosed"), kept],
  ["HTTP/1.0", answer("HTTP/1.0 200 OK", "content-length: 0"), last],
  ["HTTP/1.0 with keep-alive", answer("HTTP/1.0 200 OK", "content-length: 0", "connection: Keep-Alive"), kept],
  [
    "the same name twice",
    answer(ok, "content-length: 0", "etag: a", "ETag: b"),
    { headers: { "content-length": "0", etag: "a" } }
  ],
  [
    "values with blanks",
    answer(ok, "content-length:\t0 ", "a:b", "c:", "d: \t e  f \t"),
    { headers: { "content-length": "0", a: "b", c: "", d: "e  f" } }
  ],
  [
    "values that are not ASCII",
    answer(ok, "content-length: 0", "a: \xc3\xa0"),
    { headers: { "content-length": "0", a: "\xc3\xa0" } }
  ],
  ["a name that every object has", answer(ok, "content-length: 0", "__proto__: a"), kept],
  ["a name with all that may be in one", answer(ok, "content-length: 0", "a!#$%&'*+.^_`|~-9: b"), kept],
  [
    "another coding within the chunks",
    `${answer(ok, "transfer-encoding: gzip, chunked")}1\r\nx\r\n0\r\n\r\n`,
    { ...kept, body: "x" }
  ],
  ["another coding alone", `${answer(ok, "transfer-encoding: gzip")}x`, { ...last, body: "x" }],
  ["what nobody asked for behind it", `${answer(ok, "content-length: 1")}x${answer(ok)}`, { ...last, body: "x" }]
]

/** Taken, or refused, where Node's client does not. */
const ours: ReadonlyArray<Said> = [
  // RFC 9112, section 6.3: the chunks count; and 6.1: the connection does not
  [
    "a length besides chunks",
    `${answer(ok, "content-length: 9", "transfer-encoding: chunked")}1\r\nx\r\n0\r\n\r\n`,
    { ...last, body: "x" }
  ],
  [
    "chunks in HTTP/1.0",
    `${answer("HTTP/1.0 200 OK", "connection: keep-alive", "transfer-encoding: chunked")}1\r\nx\r\n0\r\n\r\n`,
    { ...last, body: "x" }
  ],
  // section 6.3: may be taken for one
  ["the same length twice", `${answer(ok, "content-length: 1", "content-length: 1")}x`, { ...kept, body: "x" }],
  ["a status alone", answer("HTTP/1.1 200", "content-length: 0"), kept],
  // section 5.2: a client replaces it by a blank
  [
    "a line that goes on",
    answer(ok, "content-length: 0", "a: b", "\t c", " d: e"),
    { headers: { "content-length": "0", a: "b c d: e" } }
  ],
  ["a status of no class", answer("HTTP/1.1 000 None", "content-length: 0"), "garbled"],
  ["another protocol that is switched to", answer("HTTP/1.1 101 Switching", "upgrade: h2c"), "garbled"],
  ["another version", answer("HTTP/2.0 200 OK"), "garbled"]
]

const bad: ReadonlyArray<Said> = [
  ["two lengths", `${answer(ok, "content-length: 1", "content-length: 2")}xx`, "garbled"],
  ["two lengths in one line", `${answer(ok, "content-length: 1, 2")}xx`, "garbled"],
  ["a length that is no number", answer(ok, "content-length: 1e3"), "garbled"],
  ["a length with a sign", answer(ok, "content-length: +1"), "garbled"],
  ["no length", answer(ok, "content-length:"), "garbled"],
  ["lines that end with LF", "HTTP/1.1 200 OK\ncontent-length: 0\n\n", "garbled"],
  ["one line that ends with LF", answer(ok, "a: b\ncontent-length: 0"), "garbled"],
  ["a CR in a value", answer(ok, "a: b\rc", "content-length: 0"), "garbled"],
  ["a NUL in a value", answer(ok, "a: b\0c", "content-length: 0"), "garbled"],
  ["a line without a colon", answer(ok, "nonsense", "content-length: 0"), "garbled"],
  ["a line without a name", answer(ok, ": a", "content-length: 0"), "garbled"],
  ["a blank before the colon", answer(ok, "content-length : 0"), "garbled"],
  ["a blank before the first name", answer(ok, "\u00a0a: b", "content-length: 0"), "garbled"],
  ["a status of two digits", answer("HTTP/1.1 20 OK"), "garbled"],
  ["a status of four digits", answer("HTTP/1.1 2000 OK"), "garbled"],
  ["a small http", answer("http/1.1 200 OK"), "garbled"],
  ["a chunk without a size", `${chunked}\r\nhello\r\n`, "garbled"],
  ["a chunk whose size is none", `${chunked}zz\r\n`, "garbled"],
  ["a chunk whose size has a sign", `${chunked}+5\r\nhello\r\n`, "garbled"],
  ["a chunk that is longer than it says", `${chunked}4\r\nhello\r\n0\r\n\r\n`, "garbled"],
  ["a chunk whose line ends with LF", `${chunked}5\nhello\r\n0\r\n\r\n`, "garbled"],
  ["SSH", "SSH-2.0-OpenSSH_9.2p1\r\n", "garbled"],
  ["FTP", "220 ", "garbled"],
  ["a TLS alert", "\x15\x03\x03\x00\x02\x02\x46", "garbled"],
  ["HTTP/2", "\x00\x00\x12\x04\x00\x00\x00\x00\x00", "garbled"],
  ["a page without a head", "<html>", "garbled"],
  ["an endless head", `${ok}\r\n${"a: b\r\n".repeat(20_000)}`, "garbled"],
  ["an endless line", `${ok} ${"x".repeat(20_000)}`, "garbled"],
  ["endless lines after the chunks", `${chunked}0\r\n${"a: b\r\n".repeat(20_000)}`, "garbled"],
  ["an endless line of a chunk", `${chunked}5;${"x".repeat(20_000)}`, "garbled"]
]

const unfinished: ReadonlyArray<Said> = [
  ["nothing", "", "cut"],
  ["the beginning of a first line", "HTTP/1.1 20", "cut"],
  ["a head without its end", `${ok}\r\ncontent-length: 0\r\n`, "cut"],
  ["half a body", `${answer(ok, "content-length: 5")}he`, "cut"],
  ["half a chunk", `${chunked}5\r\nhe`, "cut"],
  ["chunks without the last one", `${chunked}5\r\nhello\r\n`, "cut"],
  ["chunks without the last line", `${chunked}5\r\nhello\r\n0\r\n`, "cut"],
  ["an announcement alone", answer("HTTP/1.1 100 Continue"), "cut"]
]

/** A document that is cut off, or garbled, or too long, behind a head that says all that matters. */
const refusals: ReadonlyArray<Said> = [
  ["half a document", `${answer("HTTP/1.1 503 No", "content-length: 9")}<Err`, { ...refused, body: "<Err" }],
  ["half a chunk", `${said("chunked")}4\r\n<Err\r\n9\r\nor`, { ...refused, body: "<Err" }],
  ["a chunk without a size", `${said("chunked")}4\r\n<Err\r\nzz\r\n`, { ...refused, body: "<Err" }],
  ["a chunk that is too long", `${said("chunked")}ffffffff\r\n<Error>`, { ...refused, body: "" }],
  ["too long a document", `${answer("HTTP/1.1 503 No", "content-length: 9999999")}<Error>`, { ...refused, body: "" }]
]

describe("an answer", () => {
  it.each(good)("is understood with %s, as Node understands it", async (_, text, understood) => {
    expect(read(text)).toMatchObject(Object(understood))
    const { headers: _headers, isReusable: _isReusable, ...rest } = Object(understood) as Record<string, unknown>
    expect(await parseWithNode(latin1(text))).toMatchObject(rest)
  })

  it.each(bad)("is none with %s", (_, text, garbled) => {
    expect(read(text)).toBe(garbled)
  })

  it.each(unfinished)("is not whole with %s", (_, text, cut) => {
    expect(read(text)).toBe(cut)
  })

  it.each(ours)("is read with %s as RFC 9112 has it", (_, text, understood) => {
    const outcome = read(text)
    if (typeof understood === "string") expect(outcome).toBe(understood)
    else expect(outcome).toMatchObject(understood)
  })

  it.each(refusals)("that refuses counts with %s", (_, text, understood) => {
    expect(read(text)).toMatchObject(Object(understood))
  })

  it.each([16 * 1024, 16 * 1024 + 1])("may have a head of 16 KiB, and no more: %i", (bytes) => {
    const start = `${ok}\r\ncontent-length: 0\r\na: `
    const text = `${start}${"x".repeat(bytes - start.length)}\r\n\r\n`
    const expected = bytes > 16 * 1024 ? "garbled" : expect.objectContaining(kept)
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
  ])("may have a body of 1 MiB, and no more, with %s", (_, text) => {
    expect(read(text(MiB))).toMatchObject({ status: 200 })
    expect(read(text(MiB + 1))).toBe("garbled")
  })

  it("is not waited for when its length says that it is too long", () => {
    expect(read(answer(ok, "content-length: 999999999999999"))).toBe("garbled")
    expect(read(`${chunked}ffffffffffffffff\r\n`)).toBe("garbled")
  })

  it("is read in no time where blanks want to be looked at again and again", () => {
    const blanks = " ".repeat(16_000)
    expect(read(answer(ok, "content-length: 0", `a: ${blanks}x${blanks.slice(15_800)}`))).toMatchObject(kept)
  })
})

const everything = [...good, ...ours, ...bad, ...unfinished, ...refusals].map(([, text]) => text)

/** Texts that are nearly answers. */
const mangled = fc
  .tuple(
    fc.constantFrom(...everything.filter(({ length }) => length < 1000)),
    fc.array(fc.tuple(fc.nat(400), fc.nat(3), fc.constantFrom("", "\r", "\n", "\r\n", ":", " ", "0", "5", ",", ";")), {
      maxLength: 2
    })
  )
  .map(([text, changes]) =>
    changes.reduce((now, [at, remove, insert]) => now.slice(0, at) + insert + now.slice(at + remove), text)
  )

const cutUp = (bytes: Buffer, cuts: ReadonlyArray<number>) => {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end))
}

describe("the pieces in which bytes come", () => {
  it("make no difference", () => {
    fc.assert(
      fc.property(mangled, fc.array(fc.nat(), { maxLength: 8 }), (text, cuts) => {
        expect(parseWithOurs(cutUp(latin1(text), cuts))).toEqual(read(text))
      }),
      { numRuns: 5000 }
    )
  })

  it("make no difference where each is a byte", () => {
    for (const text of everything) {
      expect(parseWithOurs([...latin1(text)].map((byte) => Buffer.of(byte)))).toEqual(read(text))
    }
  })
})

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/)
const value = fc.stringMatching(/^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]{0,20}[!-~\x80-\xff])?)?$/)
const blanks = fc.stringMatching(/^[ \t]{0,3}$/)
const own =
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
        token.filter((name) => !own.test(name)),
        blanks,
        value,
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
  it("reads the same from answers that are valid", () =>
    fc.assert(
      fc.asyncProperty(valid, async (text) => {
        const { isReusable: _, ...understood } = Object(read(text))
        expect(understood).toEqual(await parseWithNode(latin1(text)))
      }),
      { numRuns: 500 }
    ))

  it.each(bad)("refuses also %s", async (_, text) => {
    expect(await parseWithNode(latin1(text))).not.toMatchObject({ status: expect.anything() })
  })

  it.each(unfinished)("waits also for the rest of %s", async (_, text) => {
    expect(await parseWithNode(latin1(text))).toBe("cut")
  })
})
