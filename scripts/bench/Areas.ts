/** Whose code it is that takes the time: what the rows of a profile's table are. */

const node: ReadonlyArray<readonly [RegExp, string]> = [
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

/** The area of a function by its file: of ours by folder, of a package by its name, of Node by what it is about. */
export const areaOf = (file: string): string => {
  if (file.startsWith("node:")) return node.find(([pattern]) => pattern.test(file))?.[1] ?? "node: other"
  const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]
  if (name === undefined) {
    const [, folder] = /src\/(services\/ObjectStore|services\/Ledger|[^/]+)/.exec(file) ?? []
    return folder === undefined ? "other" : `ours: ${folder}`
  }
  if (name === "effect" || name.startsWith("@effect/")) return "effect"
  if (name.startsWith("@aws-sdk/") || name.startsWith("@smithy/")) return "AWS SDK"
  return name
}
