/** The manual page, made from what `--help` is made from. */
import { environmentFile, stateDirectory } from "../../units/Job.ts"
import type { Flag } from "../flags/Flag.ts"
import { annotations } from "./Help.ts"
import * as Manual from "./Manual.ts"
import * as Roff from "./Roff.ts"
import { version } from "../Version.ts"

const commands = Object.entries(Manual.commands)

const synopsis = () =>
  [
    ...commands.map(([name, { usage }]) => [name, usage] as const),
    ...Manual.texts.map((text) => [text, ""] as const),
    ["--version", ""] as const
  ].flatMap(([words, usage], at) => [
    ...(at === 0 ? [] : [".br"]),
    `${Roff.bold(`ibsr-export ${words}`)}${usage === "" ? "" : ` ${Roff.text(usage)}`}`
  ])

const flag = (one: Flag<unknown>) => {
  const value = one.value === undefined ? "" : ` ${Roff.italic(one.value)}${one.repeated ? Roff.text(" …") : ""}`
  const noted = annotations(one).length === 0 ? "" : ` [${annotations(one).join("; ")}]`
  return Roff.item(`${Roff.bold(`--${one.name}`)}${value}`, Roff.text(one.description + noted))
}

const exits = (page: Manual.Page) =>
  page.exits.map(({ code, meaning, name, retrySoon }) =>
    Roff.item(`${Roff.bold(String(code))} ${Roff.text(name)}`, Roff.text(`${meaning}${retrySoon ? " *" : ""}`))
  )

const options = ([name, page]: readonly [string, Manual.Page]) => [
  Roff.section(`Options of ${name}`.toUpperCase()),
  Roff.paragraph(Roff.text(`ibsr-export ${name}: ${page.summary}.`)),
  ...[...Map.groupBy(page.flags, ({ group }) => group)].flatMap(([group, members]) => [
    Roff.subsection(group),
    ...members.map(flag)
  ]),
  ...page.notes.flatMap(({ heading, paragraphs }) => [
    Roff.subsection(heading),
    ...paragraphs.map((paragraph) => Roff.paragraph(Roff.text(paragraph)))
  ])
]

const variables: ReadonlyArray<readonly [name: string, meaning: string]> = [
  ["AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN", "access keys"],
  ["AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE", "where profiles are, if not in ~/.aws"],
  ["AWS_CA_BUNDLE, NODE_EXTRA_CA_CERTS", "certificates to trust: instead of the well-known ones, or besides them"],
  ["HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "proxies, and what is not reached through them"],
  ["STATE_DIRECTORY, INVOCATION_ID", "set by systemd: where the ledger lies, and the name of the run"]
]

const environment = () => [
  Roff.section("ENVIRONMENT"),
  Roff.paragraph(Roff.text("A flag wins over its variables, of which the first that is not empty counts.")),
  ...[...new Set(commands.flatMap(([, { flags }]) => flags))]
    .filter(({ env }) => env.length > 0)
    .map(({ env, name }) => Roff.item(Roff.bold(env.join(", ")), Roff.text(`stands in for --${name}`))),
  ...variables.map(([name, meaning]) => Roff.item(Roff.bold(name), Roff.text(meaning)))
]

const exitStatus = () => [
  Roff.section("EXIT STATUS"),
  Roff.paragraph(
    Roff.text(
      "Of s3. The code says why, the report says how much. After those with a star it can help to start it again soon."
    )
  ),
  ...exits(Manual.commands.s3),
  ...commands
    .filter(([name]) => name !== "s3")
    .flatMap(([name, page]) => [Roff.subsection(`Of ${name}`), ...exits(page)])
]

const files = () => [
  Roff.section("FILES"),
  Roff.item(Roff.italic(`${stateDirectory}/ledger.db`), Roff.text("what was stored, with the units of this program")),
  Roff.item(Roff.italic(environmentFile), Roff.text("variables for these units")),
  Roff.item(Roff.italic("/etc/ibsr-export/aws-credentials"), Roff.text("access keys for their drop-in static-keys"))
]

const examples = () => [
  Roff.section("EXAMPLES"),
  ...commands.flatMap(([, page]) =>
    page.examples.map((lines) =>
      Roff.listing(lines.map((line, at) => `${at === 0 ? "" : "    "}${line}${at < lines.length - 1 ? " \\" : ""}`))
    )
  )
]

/** For `man -l -`, or to be put below /usr/share/man/man1. */
export const page = (): string =>
  [
    `.\\" Made by "ibsr-export man".`,
    `.TH IBSR\\-EXPORT 1 "" "ibsr\\-export ${Roff.text(version)}" "User Commands"`,
    // words are not hyphenated, lines not stretched: flags are to be found, and copied
    ".nh",
    ".ad l",
    Roff.section("NAME"),
    Roff.text("ibsr-export").concat(" \\- carry IBSR traffic snapshots to a bucket"),
    Roff.section("SYNOPSIS"),
    ...synopsis(),
    Roff.section("DESCRIPTION"),
    Roff.paragraph(
      Roff.text(
        "Uploads the snapshots below a directory to Amazon S3, MinIO, Cloudflare R2, or anything that speaks S3."
      ),
      Roff.text("s3:PutObject on one prefix is all the permission it needs."),
      Roff.text(
        "It remembers in a ledger what it stored, sends what is new, and exits with a code that says what went wrong."
      ),
      Roff.text("It is made to be started by a timer and watched by nobody.")
    ),
    ...commands.flatMap(options),
    ...environment(),
    ...exitStatus(),
    ...files(),
    ...examples(),
    Roff.section("SEE ALSO"),
    `${Roff.bold("systemd.timer")}(5), ${Roff.bold("crontab")}(5)`
  ].join("\n")
