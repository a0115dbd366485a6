/** The endpoint of a store other than AWS. */
import { Either } from "effect"

/** Parses an `http:` or `https:` URL that contains only a host and a port. The failure describes the expected form. */
export const parse = (text: string): Either.Either<URL, string> => {
  const url = URL.parse(text)
  const parts = url === null ? "" : url.href.slice(url.origin.length)
  // the program would ignore a path, and would send user info to the store
  return url !== null && /^https?:$/.test(url.protocol) && parts === "/"
    ? Either.right(url)
    : Either.left("a URL such as https://minio.example.com:9000, without a path")
}

/** Parses an `http:` or `https:` URL with any path, but without a login. The failure describes the expected form. */
export const parseUrl = (text: string): Either.Either<URL, string> => {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" && url.hash === ""
    ? Either.right(url)
    : Either.left("a URL such as https://hc-ping.com/your-uuid, without a login")
}

/** Hides the user info of a URL, because it may contain a password, which must not reach a log. */
export const withoutLogin = (text: string): string => text.replace(/\/\/.*@/, "//…@")
