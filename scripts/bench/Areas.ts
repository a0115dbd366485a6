/** Attributes a function to an area of code: the rows of a profile's table. */

const nodeAreas: ReadonlyArray<readonly [RegExp, string]> = [
  [/^node:(_http|internal\/http|http)/, "node: http"],
  [/^node:(_tls|internal\/tls|tls)/, "node: tls"],
  [/^node:(net|internal\/(net|stream_base|js_stream))/, "node: net"],
  [/^node:(stream|internal\/streams?|_stream|events|internal\/event)/, "node: streams and events"],
  [/^node:(internal\/crypto|crypto)/, "node: crypto"],
  [/^node:(fs|internal\/fs)/, "node: fs"],
  [/^node:(sqlite|internal\/sqlite)/, "node: sqlite"],
  [/^node:(buffer|internal\/(buffer|webstreams|encoding|url|util))/, "node: buffers, URLs, text"],
  [/^node:(timers|internal\/(timers|process|async|promise))/, "node: timers, ticks"],
  [/^node:(internal\/(modules|bootstrap|main|vm)|vm)/, "node: start"]
]

/** The area of a function by its file: a folder of our own code, a package, or a topic of Node. */
export const areaOf = (file: string): string => {
  if (file.startsWith("node:")) return nodeAreas.find(([pattern]) => pattern.test(file))?.[1] ?? "node: other"
  const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]
  if (name === undefined) {
    const [, folder] = /src\/(services\/ObjectStore|services\/Ledger|[^/]+)/.exec(file) ?? []
    return folder === undefined ? "other" : `ours: ${folder}`
  }
  if (name === "effect" || name.startsWith("@effect/")) return "effect"
  if (name.startsWith("@aws-sdk/") || name.startsWith("@smithy/")) return "AWS SDK"
  return name
}
