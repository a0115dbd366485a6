/** Faults between the host and the store: in names, ports, TLS, proxies and portals. */
import { createServer } from "node:http"
import { Proxy } from "../../fakes/Proxy.ts"
import { makeAuthority } from "../../fixtures/Certificates.ts"
import { closedPort as freePort, s3 } from "../BuiltProgram.ts"
import { closedPort, nothingAt, plainHttpStore, tlsServer, tlsStore } from "../faults/FakeEndpoints.ts"
import {
  answering,
  at,
  htmlPage,
  type LastLinesCase,
  oneFile,
  onStore,
  type Prepared,
  type Use
} from "./LastLinesCase.ts"
import { Loopback } from "../../fakes/Loopback.ts"

const region = "--region=us-east-1"
const storeBehindProxy = (env: NodeJS.ProcessEnv, ...flags: ReadonlyArray<string>): Prepared => ({
  args: s3(oneFile(), "https://store.test", region, ...flags),
  env
})

const throughProxy = (refuse?: number) => async (use: Use) => {
  const proxy = use(await Proxy.start({ resolve: () => undefined }))
  proxy.refuse = refuse
  return storeBehindProxy({ HTTPS_PROXY: proxy.url() })
}

/** Starts an https proxy whose certificate has an authority that this host does not know. */
const throughSecureProxy = async (use: Use) => {
  const authority = await makeAuthority()
  return storeBehindProxy({ HTTPS_PROXY: use(await Proxy.start({ tls: await authority.issue("127.0.0.1") })).url() })
}

/** Prepares a run that reaches STS through a proxy and the store directly. */
const roleThrough = async (proxyHost: string): Promise<Prepared> => ({
  args: s3(oneFile(), "http://127.0.0.1:9", region, "--assume-role-arn=arn:aws:iam::123456789012:role/export"),
  env: { HTTPS_PROXY: `http://${proxyHost}`, NO_PROXY: "127.0.0.1" }
})

/** A portal that answers every request with 200 and its own page. */
const portal = async (use: Use): Promise<Prepared> => {
  const server = createServer((request, response) => {
    request.resume()
    request.on("end", () => response.writeHead(200, { "content-type": "text/html" }).end(htmlPage("Guest Wi-Fi")))
  })
  const { port, stop } = await listenOn(server)
  use({ stop })
  return { args: s3(oneFile(), `http://127.0.0.1:${port}`, region) }
}

const listenOn = async (server: ReturnType<typeof createServer>) => {
  const loopback = await Loopback.listen(server)
  return { port: loopback.port, stop: () => loopback.stop() }
}

export const networkFaults: ReadonlyArray<LastLinesCase> = [
  {
    when: "the store's certificate is that of a private CA",
    exit: 31,
    cause: /self-signed|issuer/i,
    remedy: /AWS_CA_BUNDLE/i,
    prepare: at(tlsStore({ trusted: false }))
  },
  {
    when: "the certificate is for another name",
    exit: 31,
    cause: /s3\.example\.com/i,
    remedy: /--endpoint/i,
    prepare: at(tlsStore({ commonName: "s3.example.com" }))
  },
  {
    when: "the certificate has expired",
    exit: 31,
    cause: /expired/i,
    remedy: /renew the server's certificate.*clock/i,
    prepare: at(tlsStore({ expired: true }))
  },
  {
    when: "the endpoint says http, and the port speaks TLS",
    exit: 30,
    cause: /TLS|ECONNRESET|socket hang up/i,
    remedy: /--endpoint https:\/\/127/i,
    prepare: at(tlsStore({ scheme: "http" }))
  },
  {
    when: "the endpoint says https, and the port speaks HTTP",
    exit: 31,
    cause: /does not speak TLS/i,
    remedy: /http:\/\//i,
    prepare: at(plainHttpStore)
  },
  {
    when: "the store speaks old TLS only",
    exit: 31,
    cause: /TLS version/i,
    remedy: /TLS 1\.2/i,
    prepare: at(tlsServer({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }))
  },
  {
    when: "the store demands a client certificate",
    exit: 31,
    cause: /client certificate/i,
    remedy: /--endpoint/i,
    prepare: at(tlsServer({ requestCert: true, rejectUnauthorized: true }))
  },
  {
    when: "the store redirects from http to https",
    exit: 30,
    cause: /redirect/i,
    remedy: /--endpoint https:\/\/127/i,
    prepare: answering({
      status: 301,
      headers: { location: "https://127.0.0.1/snapshots", "content-type": "text/html" }
    })
  },
  {
    when: "a proxy redirects to a login page",
    exit: 30,
    cause: /redirects to http:\/\/portal\.example\.com/i,
    remedy: /NO_PROXY/i,
    prepare: answering({
      status: 302,
      headers: { location: "http://portal.example.com/login", "content-type": "text/html" }
    })
  },
  {
    when: "a captive portal answers in place of the store",
    exit: 30,
    cause: /login page|portal/i,
    remedy: /--endpoint/i,
    prepare: portal
  },
  {
    when: "nothing listens at the proxy",
    exit: 30,
    cause: /proxy 127\.0\.0\.1:\d+/i,
    remedy: /HTTPS_PROXY/i,
    prepare: async () => storeBehindProxy({ HTTPS_PROXY: `http://127.0.0.1:${await freePort()}` })
  },
  {
    when: "the name of the proxy is unknown",
    exit: 30,
    cause: /proxy proxy\.invalid:3128/i,
    remedy: /HTTPS_PROXY/i,
    prepare: async () => storeBehindProxy({ HTTPS_PROXY: "http://proxy.invalid:3128" })
  },
  {
    when: "nothing listens at the proxy, and credentials come from STS",
    exit: 30,
    cause: /proxy 127\.0\.0\.1:\d+/i,
    remedy: /HTTPS_PROXY/i,
    prepare: async () => roleThrough(`127.0.0.1:${await freePort()}`)
  },
  {
    when: "the proxy requires a login",
    exit: 30,
    cause: /407/i,
    remedy: /login.*HTTPS_PROXY/i,
    prepare: throughProxy(407)
  },
  {
    when: "the proxy refuses the store",
    exit: 30,
    cause: /proxy 127\.0\.0\.1:\d+ .*does not let/i,
    remedy: /administrator/i,
    prepare: throughProxy(403)
  },
  {
    when: "the certificate of an https proxy is that of a private CA",
    exit: 31,
    cause: /proxy 127\.0\.0\.1:\d+/i,
    remedy: /NODE_EXTRA_CA_CERTS/i,
    prepare: throughSecureProxy
  },
  {
    when: "DNS does not know the store",
    exit: 30,
    cause: /ENOTFOUND|EAI_AGAIN/i,
    remedy: /DNS.*--endpoint/i,
    prepare: at(nothingAt("http://minio.invalid:9000"))
  },
  {
    when: "nothing listens at the endpoint",
    exit: 30,
    cause: /ECONNREFUSED/i,
    remedy: /--endpoint/i,
    prepare: at(closedPort)
  },
  {
    when: "the store does not answer",
    exit: 30,
    cause: /no complete answer/i,
    remedy: /--timeout/i,
    prepare: onStore({ fault: { kind: "hang" }, flags: ["--timeout=1s"] })
  }
]
