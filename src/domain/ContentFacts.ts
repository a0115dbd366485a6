/** What a manifest says about an object's content. Gathered while the content is sent, if a manifest is wanted. */

export interface ContentFacts {
  /** SHA-256 of the whole content, in hexadecimal. */
  readonly sha256: string
  /** Undefined for a file that does not consist of lines. */
  readonly lines: LineFacts | undefined
}

export interface LineFacts {
  /** Number of complete lines. */
  readonly count: number
  /** `ts_unix_sec` of the first and of the last complete line; undefined if it has none. */
  readonly firstTime: number | undefined
  readonly lastTime: number | undefined
  /** `interval_sec` and `run_id` of the last complete line. */
  readonly intervalSeconds: number | undefined
  readonly runId: string | undefined
}
