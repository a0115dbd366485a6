/** The CA certificates of the system, and of NODE_EXTRA_CA_CERTS. */
import { readFileSync, statSync } from "node:fs"
import { createSecureContext, getCACertificates, setDefaultCACertificates } from "node:tls"
import { codeOf } from "../../SystemError.ts"

/**
 * Which CA certificates to trust. `ca` replaces all others. `extraAuthorities` is the path of a bundle that is added.
 */
export interface Trust {
  readonly ca?: Buffer
  readonly extraAuthorities?: string | undefined
}

/** The bundles of Debian, Ubuntu and Alpine, then Red Hat, then SUSE. Source: root_linux.go in Go's crypto/x509. */
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem"
]

/** OpenSSL's codes for a certificate whose issuer is not among the trusted ones. Source: X509_STORE_CTX_get_error(3). */
const unknown: ReadonlySet<string | undefined> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
])

/** Whether a connection failed because its certificate has an unknown issuer. */
export const isUnknown = (error: unknown): boolean => unknown.has(codeOf(error))

let isTrusted = false

/**
 * Makes all later connections without a `ca` of their own also trust the system's certificates, and those of the bundle
 * at `extra`. Call it only when needed: it takes about 30 ms, as long as a whole start, and Node already knows the
 * authorities of most stores.
 */
export const trustSystem = (extra: string | undefined): void => {
  if (isTrusted) return
  isTrusted = true
  const system = bundles.map(read).find((text) => text !== "")
  const added = [system, extra === undefined ? undefined : read(extra)].flatMap((text) => (text ? [text] : []))
  setDefaultCACertificates([...getCACertificates("default"), ...added])
}

/** Empty if the file is missing or is not a bundle. */
const read = (path: string) => {
  try {
    // reading a pipe might never end
    if (!statSync(path).isFile()) return ""
    const text = readFileSync(path, "latin1")
    createSecureContext({ ca: text })
    return text
  } catch {
    return ""
  }
}
