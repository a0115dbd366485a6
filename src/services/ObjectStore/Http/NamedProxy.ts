/** The proxy in an error of a connection to it. */

export interface NamedProxy {
  readonly variable: "HTTP_PROXY" | "HTTPS_PROXY"
  /** Host and port, without a password. */
  readonly host: string
}

/** Names the proxy in an error. `isSecure`: whether the requests that it carries are encrypted. */
export const inError = (error: unknown, proxy: string, isSecure: boolean): Error =>
  Object.assign(error as Error, {
    proxy: { variable: isSecure ? "HTTPS_PROXY" : "HTTP_PROXY", host: new URL(proxy).host } satisfies NamedProxy
  })
