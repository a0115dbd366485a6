/**
 * Decides whether a response with a status of success proves that a store carried out the request. A login page, a
 * cache or a proxy may respond in place of the store, with any status and any header.
 *
 * | status                                | body                                | the response is            |
 * | ------------------------------------- | ----------------------------------- | -------------------------- |
 * | 300 or above                          | any                                 | a refusal                  |
 * | 200, or 204 to `DELETE`               | empty, unless a document is expected | a success                 |
 * | 200                                   | XML, with the root that is expected | a success                  |
 * | 200                                   | XML, with the root `Error`          | a refusal with status 500  |
 * | any other                             | any other                           | from something else        |
 *
 * The body decides and not its `Content-Type`, because some stores label an empty body as HTML.
 */
import type { Response } from "../Http/ResponseReader.ts"

export type Answer = Pick<Response, "status" | "headers" | "body">

/** The request that the response is for. */
export interface Asked {
  readonly method: string
  /** The root of the document that S3 responds with; undefined if it responds without one. */
  readonly root?: string | undefined
}

/** Returns a success or a refusal. Throws if the response is from something else, in the form of the SDK's errors. */
export const checked = (asked: Asked, answer: Answer): Answer => {
  if (answer.status >= 300) return answer
  if (answer.status !== 200 && !(answer.status === 204 && asked.method === "DELETE"))
    throw foreign(answer, "the status is not that of a store")
  const text = answer.body.toString("utf8").trim()
  if (text === "" && asked.root === undefined) return answer
  const root = rootOf(text)
  if (root === "Error") return { ...answer, status: 500 }
  const isExpected =
    asked.root === undefined || (root !== undefined && withoutResult(root) === withoutResult(asked.root))
  if (root === undefined || /^html$/i.test(root) || !isExpected)
    throw foreign(answer, "the answer is incomplete or not a store's")
  return answer
}

const foreign = ({ headers, status }: Answer, detail: string) =>
  Object.assign(new Error(detail), { $metadata: { httpStatusCode: status }, $response: { headers } })

/** rclone's server before version 1.76 calls the root `InitiateMultipartUpload`. */
const withoutResult = (root: string) => root.replace(/Result$/, "")

/** The local name of the root of an XML document; undefined if the document is incomplete. */
const rootOf = (text: string): string | undefined => {
  const start = /^(?:\s|<\?[^>]*>|<!--(?:[^-]|-[^-])*-->|<!DOCTYPE[^>]*>)*<([\w.:-]+)(?:\s[^>]*)?\/?>/i.exec(text)
  if (start === null) return undefined
  const [head, name = ""] = start
  const isWhole = head.endsWith("/>") ? head.length === text.length : text.endsWith(`</${name}>`)
  return isWhole ? name.slice(name.indexOf(":") + 1) : undefined
}
