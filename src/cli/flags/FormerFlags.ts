/**
 * Flags of the former ibsr-export, which was written in Rust, that this program does not have or that have another
 * name.
 */

/** Replaces `--timeout-sec N` by `--timeout Ns`. If N is not a number, the flag stays, and `advice` explains the error. */
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

/** Advice on what to use instead, by the name of the flag. */
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
