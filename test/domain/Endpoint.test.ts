import { describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import * as Endpoint from "../../src/domain/Endpoint.ts"

describe("Endpoint.parse", () => {
  it.each([
    ["https://minio.example.com:9000", "https://minio.example.com:9000/"],
    ["https://minio.example.com/", "https://minio.example.com/"],
    ["http://127.0.0.1:9000", "http://127.0.0.1:9000/"],
    ["http://[::1]:9000", "http://[::1]:9000/"],
    ["HTTPS://Minio.Example.com", "https://minio.example.com/"]
  ])("reads %s", (text, href) => {
    expect(Either.map(Endpoint.parse(text), (url) => url.href)).toEqual(Either.right(href))
  })

  it.each([
    ["no scheme", "minio.example.com"],
    ["a host and port without a scheme", "localhost:9000"],
    ["another scheme", "ftp://minio.example.com"],
    ["s3://", "s3://bucket"],
    ["a path", "https://minio.example.com/bucket"],
    ["a query", "https://minio.example.com/?a=b"],
    ["a fragment", "https://minio.example.com/#a"],
    ["a user", "https://user@minio.example.com"],
    ["a user and password", "https://user:secret@minio.example.com"],
    ["a password alone", "https://:secret@minio.example.com"],
    ["no host", "https://"],
    ["nothing", ""]
  ])("refuses %s", (_, text) => {
    expect(Either.flip(Endpoint.parse(text)).pipe(Either.getOrThrow)).toContain("without a path")
  })
})

describe("Endpoint.withoutLogin", () => {
  it.each([
    ["https://user:secret@minio.example.com/a@b", "https://…@b"],
    ["https://minio.example.com:9000", "https://minio.example.com:9000"]
  ])("given %s, returns %s", (text, shown) => {
    expect(Endpoint.withoutLogin(text)).toBe(shown)
  })
})
