/** The way to the store, and who is at its end. */
import { choosy, closedPort, nowhere, plain, raw, saying, secure } from "./FakeEndpoints.ts"
import type { FaultCase } from "./FaultCase.ts"

const way = /--endpoint/
const noHttp = /does not speak HTTP .*--endpoint/

export const endpoints: ReadonlyArray<FaultCase> = [
  { name: "a port on which nobody listens", place: closedPort, attempts: 3, exit: 30, hint: way },
  { name: "a name that does not exist", place: nowhere("http://nx.invalid"), attempts: 3, exit: 30, hint: /DNS/ },
  { name: "a certificate that can be trusted", place: secure(), attempts: 1, exit: 0 },
  {
    name: "a certificate of an unknown signer",
    place: secure({ trusted: false }),
    attempts: 1,
    exit: 31,
    hint: /NODE_EXTRA_CA_CERTS/
  },
  {
    name: "a certificate that has expired",
    place: secure({ expired: true }),
    attempts: 1,
    exit: 31,
    hint: /certificate/
  },
  {
    name: "a certificate for another name",
    place: secure({ commonName: "s3.example.com" }),
    attempts: 1,
    exit: 31,
    hint: /certificate/
  },
  { name: "TLS where none is spoken", place: plain, attempts: 1, exit: 31, hint: /http/ },
  { name: "no TLS where it is spoken", place: secure({ scheme: "http" }), attempts: 3, exit: 30, hint: way },
  {
    name: "a TLS so old that nobody should speak it",
    place: choosy({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }),
    attempts: 1,
    exit: 31
  },
  {
    name: "a server that wants a certificate of its client",
    place: choosy({ requestCert: true, rejectUnauthorized: true }),
    attempts: 1,
    exit: 31
  },
  {
    name: "a handshake that is never answered",
    place: raw(() => {}, "https"),
    timeout: "1s",
    attempts: 3,
    exit: 30,
    hint: /--timeout/
  },
  {
    name: "a handshake that is reset",
    place: raw((socket) => socket.resetAndDestroy(), "https"),
    attempts: 3,
    exit: 30,
    hint: way
  },
  {
    name: "a server that hangs up without a word",
    place: raw((socket) => socket.end()),
    attempts: 3,
    exit: 30,
    hint: way
  },
  {
    name: "a server that never says a word",
    place: raw(() => {}),
    timeout: "1s",
    attempts: 3,
    exit: 30,
    hint: /--timeout/
  },
  { name: "a mail server", place: saying("220 mail.example.com ESMTP\r\n"), attempts: 1, exit: 30, hint: noHttp },
  { name: "noise", place: saying("\u0000\u0001\u0002\u0003\u0000"), attempts: 1, exit: 30, hint: noHttp },
  {
    name: "a server of HTTP/2 alone",
    place: saying("\u0000\u0000\u0012\u0004\u0000\u0000\u0000\u0000\u0000"),
    attempts: 1,
    exit: 30,
    hint: noHttp
  },
  {
    name: "an answer whose lengths contradict each other",
    place: saying("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"),
    attempts: 1,
    exit: 30,
    hint: noHttp
  },
  {
    name: "an answer of endless headers",
    place: saying(`HTTP/1.1 200 OK\r\n${"x-filler: y\r\n".repeat(20_000)}\r\n`),
    attempts: 1,
    exit: 30,
    hint: noHttp
  },
  {
    name: "an answer whose chunks have no size",
    place: saying("HTTP/1.1 500 X\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
    attempts: 3,
    exit: 32,
    hint: /next run/
  },
  { name: "an answer that ends in its first line", place: saying("HTTP/1.1 20"), attempts: 3, exit: 30, hint: way }
]
