/**
 * Failures of TLS by code, with a description that replaces OpenSSL's.
 *
 * Sources: "TLS errors" in Node's documentation, and the reasons in OpenSSL's `sslerr.h`, which Node turns into codes.
 */

interface Row {
  /** Undefined if Node's message is clear. */
  readonly detail?: string
  readonly advice: string
}

const notTls: Row = {
  detail: "the server does not speak TLS at this port",
  advice: "give --endpoint the port that speaks TLS, or http:// if the store has none"
}
const oldTls: Row = {
  detail: "the server offers no TLS version that is still secure",
  advice: "the store, or the proxy in front of it, must offer TLS 1.2 or newer: update it"
}
const clientCertificate: Row = {
  detail: "the server requires a client certificate",
  advice: "ibsr-export does not support client certificates: give --endpoint an address that requires none"
}
const handshake: Row = {
  detail: "the server refused the handshake",
  advice:
    "the server requires a client certificate, which ibsr-export does not support, or has no cipher in common with it"
}
const expired: Row = { advice: "renew the server's certificate; if it is valid, set this host's clock" }

const table: Readonly<Record<string, Row>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: notTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls,
  ERR_SSL_HTTP_REQUEST: notTls,
  ERR_SSL_UNKNOWN_PROTOCOL: notTls,
  EPROTO: notTls,
  ERR_SSL_UNSUPPORTED_PROTOCOL: oldTls,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: oldTls,
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: oldTls,
  ERR_SSL_VERSION_TOO_LOW: oldTls,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: clientCertificate,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: clientCertificate,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: clientCertificate,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: handshake,
  ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY: handshake,
  CERT_HAS_EXPIRED: expired,
  ERR_TLS_CERT_ALTNAME_INVALID: {
    detail: "the server's certificate is for another name",
    advice: "check --endpoint: the certificate of the server is for another name"
  },
  CERT_NOT_YET_VALID: { advice: "set this host's clock: the server's certificate is not valid yet" }
}

export const row = (code: string): Row | undefined => (Object.hasOwn(table, code) ? table[code] : undefined)

/** Codes of a server that does not speak TLS. */
export const isNotTls = (code: string): boolean => row(code) === notTls

/** Codes of a certificate or handshake that is not acceptable. */
export const isTlsCode = (code: string): boolean =>
  /^(EPROTO$|CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE))/.test(
    code
  )

/** Codes of a certificate whose issuer is not trusted. */
export const isUnknownIssuer = (code: string): boolean =>
  /^(UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT)/.test(code)
