/** What the program may find at the endpoint other than a plain S3 store. */
import { answering, closedPort, nothingAt, onConnection, plainHttpStore, tlsServer, tlsStore } from "./FakeEndpoints.ts"
import type { FaultCase } from "./FaultCase.ts"

const network = /--endpoint/
const notHttp = /does not speak HTTP .*--endpoint/

export const endpoints: ReadonlyArray<FaultCase> = [
  { when: "nothing listens on the port", endpoint: closedPort, attempts: 3, exit: 30, hint: network },
  {
    when: "the host name does not exist",
    endpoint: nothingAt("http://nx.invalid"),
    attempts: 3,
    exit: 30,
    hint: /DNS/
  },
  { when: "the certificate is trusted", endpoint: tlsStore(), attempts: 1, exit: 0 },
  {
    when: "the certificate has an unknown issuer",
    endpoint: tlsStore({ trusted: false }),
    attempts: 1,
    exit: 31,
    hint: /AWS_CA_BUNDLE/
  },
  {
    when: "the certificate has expired",
    endpoint: tlsStore({ expired: true }),
    attempts: 1,
    exit: 31,
    hint: /certificate/
  },
  {
    when: "the certificate is for another name",
    endpoint: tlsStore({ commonName: "s3.example.com" }),
    attempts: 1,
    exit: 31,
    hint: /certificate is for s3\.example\.com: check --endpoint/
  },
  {
    when: "an https endpoint does not speak TLS",
    endpoint: plainHttpStore,
    attempts: 1,
    exit: 31,
    hint: /http:\/\//,
    output: /the server does not speak TLS/
  },
  {
    when: "an http endpoint speaks TLS",
    endpoint: tlsStore({ scheme: "http" }),
    attempts: 3,
    exit: 30,
    hint: /--endpoint https:\/\/127/
  },
  {
    when: "the server speaks no TLS version above 1.1",
    endpoint: tlsServer({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }),
    attempts: 1,
    exit: 31,
    hint: /TLS 1\.2/
  },
  {
    when: "the server requires a client certificate",
    endpoint: tlsServer({ requestCert: true, rejectUnauthorized: true }),
    // the first connection shows that the issuer is not one of Node's
    attempts: 2,
    exit: 31,
    hint: /client certificate/
  },
  {
    when: "an http endpoint explains that it speaks TLS, and resets the connection",
    endpoint: onConnection((socket) => {
      socket.write("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
      setTimeout(() => socket.resetAndDestroy(), 100)
    }),
    attempts: 3,
    exit: 30,
    hint: /--endpoint https:\/\/127/
  },
  {
    when: "the TLS handshake gets no response",
    endpoint: onConnection(() => {}, "https"),
    timeout: "1s",
    attempts: 3,
    exit: 30,
    hint: /--timeout/
  },
  {
    when: "the TLS handshake is reset",
    endpoint: onConnection((socket) => socket.resetAndDestroy(), "https"),
    attempts: 3,
    exit: 30,
    hint: network
  },
  {
    when: "the server closes the connection without a response",
    endpoint: onConnection((socket) => socket.end()),
    attempts: 3,
    exit: 30,
    hint: network
  },
  {
    when: "the server never responds",
    endpoint: onConnection(() => {}),
    timeout: "1s",
    attempts: 3,
    exit: 30,
    hint: /--timeout/
  },
  {
    when: "a mail server answers",
    endpoint: answering("220 mail.example.com ESMTP\r\n"),
    attempts: 1,
    exit: 30,
    hint: notHttp
  },
  {
    when: "the response is binary noise",
    endpoint: answering("\u0000\u0001\u0002\u0003\u0000"),
    attempts: 1,
    exit: 30,
    hint: notHttp
  },
  {
    when: "the server speaks HTTP/2 only",
    endpoint: answering("\u0000\u0000\u0012\u0004\u0000\u0000\u0000\u0000\u0000"),
    attempts: 1,
    exit: 30,
    hint: notHttp
  },
  {
    when: "the response has two different lengths",
    endpoint: answering("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"),
    attempts: 1,
    exit: 30,
    hint: notHttp
  },
  {
    when: "the response's headers are too large",
    endpoint: answering(`HTTP/1.1 200 OK\r\n${"x-filler: y\r\n".repeat(20_000)}\r\n`),
    attempts: 1,
    exit: 30,
    hint: notHttp
  },
  {
    when: "a chunk of the response has no size",
    endpoint: answering("HTTP/1.1 500 X\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
    attempts: 3,
    exit: 32,
    hint: /next run/
  },
  {
    when: "the response ends in its status line",
    endpoint: answering("HTTP/1.1 20"),
    attempts: 3,
    exit: 30,
    hint: network
  }
]
