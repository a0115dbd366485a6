/** Flags of the former ibsr-export, a program in Rust, that this one calls differently or does not have. */

/** Replaces `--timeout-sec N` by `--timeout Ns`. An N that is no number stays, and `advice` says what is wrong. */
export const translate = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const translated: Array<string> = []
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!
    const isBare = word === "--timeout-sec"
    const seconds = /^--timeout-sec=([1-9]\d*)$/.exec(isBare ? `${word}=${args[at + 1]}` : word)?.[1]
    if (seconds !== undefined && isBare) at++
    translated.push(seconds === undefined ? word : `--timeout=${seconds}s`)
  }
  return translated
}

/** What to use instead, by name. */
export const advice: ReadonlyMap<string, string> = new Map([
  ["--timeout-sec", "--timeout-sec needs a number of seconds above zero"],
  [
    "--run-id",
    "--run-id is gone: a file keeps its key from run to run. To tell uploads apart, give --prefix, or --metadata KEY=VALUE"
  ],
  [
    "--presign",
    "--presign is gone: a URL signed by this host allows no more than the host itself, which may only write. " +
      "Let someone who may read the bucket sign URLs, for example with 'aws s3 presign'"
  ]
])
