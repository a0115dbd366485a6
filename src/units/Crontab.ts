/** The line for cron, where there is no systemd. Sources: crontab(5) of Debian's cron 3.0 and of cronie 1.5. */
import { type File, type Job, stateDirectory } from "./Job.ts"

/** One word for `sh`. */
const shellWord = (text: string) =>
  /^[\w@+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`

/**
 * A `%` ends the command, unless a backslash is before it; and cron takes one of two backslashes away, as the case may be.
 * Two quotes keep a backslash apart from what follows it, and mean nothing to the shell.
 */
const cronWord = (text: string) =>
  shellWord(text)
    .replaceAll(/\\(?=[\\%])/g, String.raw`\''`)
    .replaceAll("%", String.raw`\%`)

/** Always the same for a host, and different ones for most: a store is not asked by all at once. */
export const minute = (host: string): number => {
  let hash = 0
  for (const character of host) hash = (hash * 31 + character.codePointAt(0)!) % 1_000_003
  // from 3 on: by then the snapshot of the hour before is final
  return 3 + (hash % 57)
}

/** Bytes of a command that Debian's cron takes. A longer one makes it ignore the file. */
const longest = 998

const command = ({ args, program }: Job) => [program, ...args].map(cronWord).join(" ")

const has = (args: ReadonlyArray<string>, flag: string) =>
  args.some((arg) => arg === flag || arg.startsWith(`${flag}=`))

/** Says nothing as long as all goes well, and keeps its ledger where every user and `status` find it. */
const forCron = (job: Job): Job => ({
  ...job,
  args: [
    ...job.args,
    ...(has(job.args, "--quiet") ? [] : ["--quiet"]),
    ...(has(job.args, "--state-dir") ? [] : [`--state-dir=${stateDirectory}`])
  ]
})

export const file = (given: Job, host: string): File => {
  const job = forCron(given)
  return {
    folder: "/etc/cron.d",
    name: "ibsr-upload",
    text: [
      "# Made by `ibsr-export units --cron`. It prints nothing as long as all goes well, and cron mails what it prints to",
      "# MAILTO. Two runs at once are kept apart by the ledger (exit 50). cron knows none of the variables of your shell:",
      "# those for proxies are written here, as NAME=value. Keys are not: cron puts what stands here at the head of its",
      `# mails. They belong into ~/.aws/credentials of ${job.user}, or another file that AWS_SHARED_CREDENTIALS_FILE names.`,
      ...(has(given.args, "--state-dir") ? [] : [`# Once: install -d -m 0700 -o ${job.user} ${stateDirectory}`]),
      `${minute(host)} * * * * ${job.user} ${command(job)}`,
      ""
    ].join("\n")
  }
}

/** Why this job cannot be a line of cron. */
export const problems = (given: Job): ReadonlyArray<string> => {
  const job = forCron(given)
  const broken = [job.program, ...job.args].some((word) => /[\n\r]/.test(word))
  return [
    ...(job.user === undefined ? ["--cron needs --user: cron wants to know who runs it"] : []),
    ...(job.groups.length > 0 ? ["--group: cron takes a user's groups as they are; add the user to the group"] : []),
    ...(broken ? ["--cron: a line of cron cannot hold a line break"] : []),
    ...(Buffer.byteLength(command(job)) > longest ? [`--cron: cron takes commands of up to ${longest} bytes`] : [])
  ]
}
