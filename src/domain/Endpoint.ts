/** The endpoint of a store other than AWS. */
import { Either } from "effect"

/** Parses an `http:` or `https:` URL that names only a host and a port. The failure says what was expected. */
export const parse = (text: string): Either.Either<URL, string> => {
  const url = URL.parse(text)
  const parts = url === null ? "" : url.href.slice(url.origin.length)
  // a path after the host, or user info before it, would be dropped or sent on
  return url !== null && /^https?:$/.test(url.protocol) && parts === "/"
    ? Either.right(url)
    : Either.left("a URL such as https://minio.example.com:9000, without a path")
}

/** Hides the user info of a URL, because it may contain a password, which must not reach a log. */
export const withoutLogin = (text: string): string => text.replace(/\/\/.*@/, "//…@")
