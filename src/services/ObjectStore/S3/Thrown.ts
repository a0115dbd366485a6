/** Errors of the SDK, of Node, and of this program's HTTP client. */
import type { NamedProxy } from "../Http/NamedProxy.ts"

/** The fields of errors that this program uses. Any of them may be missing. */
export interface Thrown {
  readonly name?: string
  readonly message?: string
  readonly code?: string
  /** The errors of the single addresses of the host. */
  readonly errors?: ReadonlyArray<{ readonly message: string }>
  /** The system call that failed, such as `connect`. */
  readonly syscall?: string
  /** The host name that DNS does not know. */
  readonly hostname?: string
  /** The server's certificate, if it is for another name. */
  readonly cert?: { readonly subjectaltname?: string }
  /** The proxy that could not be reached, or that could not reach the store. */
  readonly proxy?: NamedProxy
  /** The HTTP status with which a proxy refused a tunnel. */
  readonly statusCode?: number
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
  readonly $response?: { readonly headers?: Headers }
  /** Elements of the store's error document. */
  readonly Region?: string
  readonly Endpoint?: string
  readonly BucketName?: string
  readonly ServerTime?: unknown
}

export type Headers = Readonly<Record<string, string>>

export const read = (cause: unknown): Thrown => (typeof cause === "object" && cause !== null ? cause : {})

export const headersOf = (thrown: Thrown): Headers => thrown.$response?.headers ?? {}

/** Returns the error's code. Takes OpenSSL's reason from the message if Node did not put it into a code. */
export const codeOf = ({ code, message = "" }: Thrown): string | undefined => {
  const reason = code === "EPROTO" ? /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] : undefined
  return reason === undefined ? code : `ERR_SSL_${reason.toUpperCase().replaceAll(" ", "_")}`
}
