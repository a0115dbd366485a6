import { describe, expect, it } from "@effect/vitest"
import * as Proof from "../../../../src/services/ObjectStore/S3/Proof.ts"

type Row = readonly [what: string, asked: Proof.Asked, given: Proof.Answer]

const put: Proof.Asked = { method: "PUT" }
const complete = { method: "POST", root: "CompleteMultipartUploadResult" }
const answer = (status: number, body: string, headers = {}) => ({ status, headers, body: Buffer.from(body) })
const declared = (document: string) => `<?xml version="1.0" encoding="UTF-8"?>\n${document}`
const completed = '<CompleteMultipartUploadResult xmlns="x"><ETag>"e-1"</ETag></CompleteMultipartUploadResult>'

describe("a response is a success", () => {
  it.each<Row>([
    ["without a body", put, answer(200, "")],
    ["without a body, although its type is HTML", put, answer(200, "", { "content-type": "text/html" })],
    ["with whitespace", put, answer(200, "\r\n")],
    ["with XML that is no error", put, answer(200, declared("<CopyPartResult a='b'/>"))],
    ["with an empty element", put, answer(200, "<Stored/>")],
    ["with the expected document", complete, answer(200, declared(completed))],
    [
      "with a document after whitespace and comments",
      complete,
      answer(200, `\n <!-- a - b --> <!DOCTYPE x> ${completed}\n`)
    ],
    [
      "with a namespace prefix",
      complete,
      answer(200, "<s:CompleteMultipartUploadResult></s:CompleteMultipartUploadResult>")
    ],
    [
      "with the document, without `Result` in its name",
      { method: "POST", root: "InitiateMultipartUploadResult" },
      answer(200, "<InitiateMultipartUpload><UploadId>u</UploadId></InitiateMultipartUpload>")
    ],
    ["with status 204 to DELETE", { method: "DELETE" }, answer(204, "")]
  ])("%s", (_, asked, given) => {
    expect(Proof.checked(asked, given)).toBe(given)
  })
})

describe("a response is a refusal", () => {
  it.each([
    ["as its status says", 403, "<html>", 403],
    ["with an error document and status 200", 200, declared("<Error><Code>InternalError</Code></Error>"), 500],
    ["with an error document in a namespace", 200, '<n:Error xmlns:n="x"></n:Error>', 500]
  ])("%s", (_, status, body, expected) => {
    expect(Proof.checked(put, answer(status, body)).status).toBe(expected)
    expect(Proof.checked(complete, answer(status, body)).status).toBe(expected)
  })
})

describe("a response is not from a store", () => {
  it.each<Row>([
    ["a page", put, answer(200, "<!DOCTYPE html><html><body></body></html>")],
    ["a page in XML", put, answer(200, declared('<html xmlns="http://www.w3.org/1999/xhtml"></html>'))],
    ["a page in capitals", put, answer(200, "<HTML></HTML>")],
    ["JSON", put, answer(200, '{"ok":true}', { "content-type": "application/json" })],
    ["text", put, answer(200, "OK")],
    ["a document that is cut off", complete, answer(200, declared(completed.slice(0, -5)))],
    ["a document that is cut off in its first tag", complete, answer(200, "<CompleteMultipartUpl")],
    ["a document that follows another", complete, answer(200, `<a/>${completed}`)],
    ["no document where one is expected", complete, answer(200, "")],
    [
      "another document than expected",
      complete,
      answer(200, "<InitiateMultipartUploadResult></InitiateMultipartUploadResult>")
    ],
    ...[201, 202, 203, 204, 206, 299].map((status): Row => [`status ${status}`, put, answer(status, "")])
  ])("%s", (_, asked, given) => {
    expect(() => Proof.checked(asked, given)).toThrow(
      expect.objectContaining({ $metadata: { httpStatusCode: given.status }, $response: { headers: given.headers } })
    )
  })

  it("is recognised quickly, even if the body is a megabyte of any form", () => {
    for (const piece of ["<", "<!--", "<?", " ", "<a ", "-", "</"]) {
      const body = answer(200, piece.repeat(2 ** 20 / piece.length))
      if (piece !== " ") expect(() => Proof.checked(complete, body), piece).toThrow()
    }
  })
})
