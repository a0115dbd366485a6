/** The manual page, from the same source as `--help`. */
import { environmentFile, stateDirectory } from "../../units/Job.ts"
import type { Flag } from "../flags/Flag.ts"
import { version } from "../Version.ts"
import { descriptionOf, namesOf } from "./Help.ts"
import * as Manual from "./Manual.ts"
import * as Roff from "./Roff.ts"

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

const flagItem = (flag: Flag<unknown>) => {
  const value = flag.value === undefined ? "" : ` ${Roff.italic(flag.value)}${flag.repeated ? Roff.text(" …") : ""}`
  return Roff.item(`${Roff.bold(namesOf(flag))}${value}`, Roff.text(descriptionOf(flag)))
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
    ...members.map(flagItem)
  ]),
  ...page.notes.flatMap(({ heading, paragraphs }) => [
    Roff.subsection(heading),
    ...paragraphs.map((paragraph) => Roff.paragraph(Roff.text(paragraph)))
  ])
]

const variables: ReadonlyArray<readonly [names: string, meaning: string]> = [
  ["AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN", "access keys"],
  ["AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE", "files of profiles, if not in ~/.aws"],
  ["AWS_CA_BUNDLE, NODE_EXTRA_CA_CERTS", "certificates to trust instead of, or in addition to, the default CA certificates"],
  ["HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "proxies, and the hosts that are reached without a proxy"],
  ["STATE_DIRECTORY, INVOCATION_ID", "set by systemd: the directory of the ledger, and the name of the run"]
]

const environment = () => [
  Roff.section("ENVIRONMENT"),
  Roff.paragraph(Roff.text("A flag takes precedence over its variables. The first variable that is not empty counts.")),
  ...[...new Set(commands.flatMap(([, { flags }]) => flags))]
    .filter(({ env }) => env.length > 0)
    .map(({ env, name }) => Roff.item(Roff.bold(env.join(", ")), Roff.text(`used if --${name} is not given`))),
  ...variables.map(([name, meaning]) => Roff.item(Roff.bold(name), Roff.text(meaning)))
]

const exitStatus = () => [
  Roff.section("EXIT STATUS"),
  Roff.paragraph(
    Roff.text(
      "The codes of s3 say why a run failed; the report gives the details. After a code with a star, a retry soon can help."
    )
  ),
  ...exits(Manual.commands.s3),
  ...commands
    .filter(([name]) => name !== "s3")
    .flatMap(([name, page]) => [Roff.subsection(`Of ${name}`), ...exits(page)])
]

const files = () => [
  Roff.section("FILES"),
  Roff.item(
    Roff.italic(`${stateDirectory}/ledger.db`),
    Roff.text("the ledger, if systemd starts the program")
  ),
  Roff.item(Roff.italic(environmentFile), Roff.text("environment variables of the systemd units")),
  Roff.item(Roff.italic("/etc/ibsr-export/aws-credentials"), Roff.text("access keys for the drop-in static-keys"))
]

const examples = () => [
  Roff.section("EXAMPLES"),
  ...commands.flatMap(([, page]) =>
    page.examples.map((lines) =>
      Roff.listing(lines.map((line, at) => `${at === 0 ? "" : "    "}${line}${at < lines.length - 1 ? " \\" : ""}`))
    )
  )
]

/** The page for `man -l -`, or for installation in /usr/share/man/man1. */
export const page = (): string =>
  [
    `.\\" Printed by "ibsr-export man".`,
    `.TH IBSR\\-EXPORT 1 "" "ibsr\\-export ${Roff.text(version)}" "User Commands"`,
    // no hyphenation and no justification, so that flags can be found and copied
    ".nh",
    ".ad l",
    Roff.section("NAME"),
    Roff.text("ibsr-export").concat(" \\- upload IBSR traffic snapshots to a bucket"),
    Roff.section("SYNOPSIS"),
    ...synopsis(),
    Roff.section("DESCRIPTION"),
    Roff.paragraph(
      Roff.text(
        "Uploads the snapshots below a directory to Amazon S3, MinIO, Cloudflare R2, or any S3-compatible store."
      ),
      Roff.text("The only permission it needs is s3:PutObject on one prefix."),
      Roff.text(
        "It records in a ledger what it has stored, sends only new content, and exits with a code for each kind of failure."
      ),
      Roff.text("It is meant to be started by a timer, without supervision.")
    ),
    ...commands.flatMap(options),
    ...environment(),
    ...exitStatus(),
    ...files(),
    ...examples(),
    Roff.section("SEE ALSO"),
    `${Roff.bold("systemd.timer")}(5), ${Roff.bold("crontab")}(5)`
  ].join("\n")
