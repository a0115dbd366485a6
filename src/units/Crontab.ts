/** The crontab line, for hosts without systemd. Sources: crontab(5) of Debian's cron 3.0 and of cronie 1.5. */
import type { File, Job } from "./Job.ts"
import * as Marker from "./Marker.ts"

/** Quotes a word for `sh`. */
const shellWord = (text: string) =>
  /^[\w@+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`

/**
 * Quotes a word for `sh` in a crontab, where `%` ends the command unless it follows a backslash. Some versions of cron
 * also turn two backslashes into one. Therefore, empty quotes separate a backslash from the next character; the shell
 * ignores them.
 */
const cronWord = (text: string) =>
  shellWord(text)
    .replaceAll(/\\(?=[\\%])/g, String.raw`\''`)
    .replaceAll("%", String.raw`\%`)

/**
 * The minute of the hour at which a job starts. Most hosts and jobs have different minutes, so that they do not all
 * upload at once.
 */
export const minute = (host: string, unit: string): number => {
  let hash = 0
  for (const character of `${host}/${unit}`) hash = (hash * 31 + character.codePointAt(0)!) % 1_000_003
  // minute 3 at the earliest, when the snapshot of the last hour is final
  return 3 + (hash % 57)
}

/** Maximum length of a command in bytes. Debian's cron ignores a file with a longer command. */
const maxCommandBytes = 998

const command = ({ args, program }: Job) => [program, ...args].map(cronWord).join(" ")

const has = (args: ReadonlyArray<string>, flag: string) =>
  args.some((arg) => arg === flag || arg.startsWith(`${flag}=`))

/** Adds `--quiet`, and a ledger directory that does not depend on the user. */
const forCron = (job: Job): Job => ({
  ...job,
  args: [
    ...job.args,
    ...(has(job.args, "--quiet") ? [] : ["--quiet"]),
    ...(has(job.args, "--state-dir") ? [] : [`--state-dir=${job.names.stateDirectory}`])
  ]
})

export const file = (original: Job, host: string): File => {
  const job = forCron(original)
  const { stateDirectory, unit } = job.names
  const body = [
    "# A successful run prints nothing. cron mails all other output to MAILTO. The ledger prevents two runs at once (exit",
    "# 50). cron does not know the variables of your shell: set those for proxies here, as NAME=value. Do not set keys",
    `# here, because cron's mails contain these variables. Put them into ~/.aws/credentials of ${job.user}, or into another`,
    "# file that AWS_SHARED_CREDENTIALS_FILE names.",
    ...(has(original.args, "--state-dir") ? [] : [`# Once: install -d -m 0700 -o ${job.user} ${stateDirectory}`]),
    `${minute(host, unit)} * * * * ${job.user} ${command(job)}`,
    ""
  ].join("\n")
  return { folder: "/etc/cron.d", name: unit, text: Marker.mark(Marker.identityOf(original), body), isExample: false }
}

/** The reasons why this job cannot be a crontab line. */
export const problems = (original: Job): ReadonlyArray<string> => {
  const job = forCron(original)
  const hasLineBreak = [job.program, ...job.args].some((word) => /[\n\r]/.test(word))
  return [
    ...(job.user === undefined ? ["--cron needs --user, the user that cron runs it as"] : []),
    ...(job.groups.length > 0 ? ["--group: cron uses the groups of the user; add the user to the group instead"] : []),
    ...(hasLineBreak ? ["--cron: a crontab line cannot contain a line break"] : []),
    ...(Buffer.byteLength(command(job)) > maxCommandBytes
      ? [`--cron: cron accepts commands of up to ${maxCommandBytes} bytes`]
      : [])
  ]
}
