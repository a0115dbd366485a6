/**
 * Reads an AWS configuration file more strictly than the SDK. The SDK silently skips lines that it does not understand,
 * so a run would continue with other settings, or under a different identity.
 */
import { Either } from "effect"

/** `~/.aws/config` or `~/.aws/credentials`. Only `config` has the word `profile` before the name of a profile. */
export type Kind = "config" | "credentials"

/** One line of a profile. `key` is in lower case. */
export interface Setting {
  readonly key: string
  readonly value: string
  /** Path and line number. */
  readonly place: string
  readonly isIndented: boolean
}

/**
 * The settings of a profile, or the first line that the SDK would skip.
 *
 * | line                                 | result                                        |
 * | ------------------------------------ | --------------------------------------------- |
 * | `region = x` before any section      | refused                                       |
 * | `[default`, or text without `=`      | refused                                       |
 * | `[NAME]` in config                   | refused, unless it is `[default]`             |
 * | `[profile NAME]` in credentials      | refused                                       |
 * | `[Default]`, `[ NAME ]`              | refused                                       |
 * | `AWS_ACCESS_KEY_ID = x`              | refused: the SDK requires lower case          |
 * | `region = "x"`                       | refused, except for `credential_process`      |
 * | anything in another profile's section| skipped                                       |
 */
export const settingsOf = (
  text: string,
  file: { readonly kind: Kind; readonly path: string },
  profile: string
): Either.Either<ReadonlyArray<Setting>, string> => {
  if (/[\0\ufffd]/.test(text)) return Either.left(`${file.path} is not text in UTF-8`)
  const settings: Array<Setting> = []
  let isInSection = false
  let isInProfile = false
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const place = `${file.path}, line ${index + 1}`
    const line = withoutComment(raw)
    if (line === "") continue
    if (line.startsWith("[")) {
      if (!line.endsWith("]")) return Either.left(`${place}: the name of a section needs a closing bracket`)
      const name = line.slice(1, -1)
      isInSection = true
      isInProfile = isSectionOf(name, file.kind, profile)
      if (!isInProfile && means(name, profile))
        return Either.left(`${place}: write [${sectionOf(file.kind, profile)}] instead of [${name}]`)
      continue
    }
    const at = line.indexOf("=")
    if (at < 1) {
      if (/^\s/.test(raw)) continue
      return Either.left(`${place} is neither a section, nor a setting such as region = eu-central-1, nor a comment`)
    }
    if (!isInSection) return Either.left(`${place} stands before the first section, such as [default]`)
    if (!isInProfile) continue
    const [name, value] = [line.slice(0, at).trim(), line.slice(at + 1).trim()]
    const key = name.toLowerCase()
    if (key !== name && isKnown(key)) return Either.left(`${place}: write ${key} in lower case`)
    if (key !== "credential_process" && isKnown(key) && /^(["']).*\1$/.test(value))
      return Either.left(`${place}: remove the quotes from the value of ${key}`)
    settings.push({ key: name, value, place, isIndented: /^\s/.test(raw) })
  }
  return Either.right(settings)
}

/** Removes a comment in the same way as the SDK. */
const withoutComment = (line: string) => (line.split(/(?:^|\s)[;#]/)[0] ?? "").trim()

const isSectionOf = (name: string, kind: Kind, profile: string) => {
  if (kind === "credentials" || (profile === "default" && name === profile)) return name === profile
  const [, , quoted] = /^profile\s(["']?)([^"']+)\1$/.exec(name) ?? []
  return quoted === profile
}

/** Whether this name is probably meant to be the profile's name. */
const means = (name: string, profile: string) => {
  const meant = name
    .trim()
    .replace(/^profile\s+/i, "")
    .replace(/^(["'])(.*)\1$/, "$2")
    .trim()
  return meant === profile || (profile === "default" && meant.toLowerCase() === profile)
}

const sectionOf = (kind: Kind, profile: string) =>
  kind === "credentials" || profile === "default" ? profile : `profile ${profile}`

const token = "aws_session_token"
const keys: ReadonlySet<string> = new Set(["aws_access_key_id", "aws_secret_access_key", token])
const roleKeys = ["source_profile", "credential_source", "web_identity_token_file"]

/** If the key is set, one of the others must also be set. */
const required: ReadonlyArray<readonly [key: string, ...others: ReadonlyArray<string>]> = [
  ["aws_access_key_id", "aws_secret_access_key"],
  ["aws_secret_access_key", "aws_access_key_id"],
  [token, "aws_access_key_id"],
  ["role_arn", ...roleKeys],
  ["source_profile", "role_arn"],
  ["credential_source", "role_arn"],
  ["web_identity_token_file", "role_arn"],
  ["sso_session", "sso_account_id"],
  ["sso_start_url", "sso_account_id"],
  ["sso_account_id", "sso_role_name"],
  ["sso_account_id", "sso_session", "sso_start_url"],
  ["sso_role_name", "sso_account_id"],
  ["credential_process"],
  ["login_session"]
]

const credentialKeys: ReadonlySet<string> = new Set(required.map(([key]) => key))
const isKnown = (key: string) => credentialKeys.has(key) || key === "region" || key === "endpoint_url"

/** Whether a profile sets up credentials, even incompletely. */
export const setsCredentials = (settings: ReadonlyArray<Setting>): boolean =>
  settings.some(({ key, value }) => credentialKeys.has(key) && !(key === token && value === ""))

/** What is wrong with the credentials of a profile; undefined if the SDK can use them. */
export const credentialProblem = (settings: ReadonlyArray<Setting>): string | undefined => {
  const present = new Map(
    settings.filter(({ key }) => credentialKeys.has(key)).map((setting) => [setting.key, setting])
  )
  for (const { isIndented, key, place, value } of present.values()) {
    // an empty setting starts a group, to which the SDK adds the indented lines below it
    if (value === "" && (key !== token || isIndented)) return `${place}: ${key} is empty`
    const flaw = keys.has(key) ? unsendable(value) : undefined
    if (flaw !== undefined) return `${place}: ${key} contains ${flaw}`
  }
  for (const [key, ...others] of required) {
    const setting = present.get(key)
    if (setting === undefined || setting.value === "" || others.length === 0) continue
    if (!others.some((other) => present.has(other)))
      return `${key} is set (${setting.place}), but not ${others.join(" or ")}`
  }
  return undefined
}

/**
 * Why a key or a token cannot be sent in a header; undefined if it can. The program does not trim the value, because
 * other programs use it as it is.
 */
export const unsendable = (text: string): string | undefined => {
  if (/[\r\n]/.test(text)) return "a line break"
  if (/\p{Cc}/u.test(text)) return "a control character"
  if (/\s/.test(text)) return "a blank"
  return /[^\x21-\x7e]/.test(text) ? "a character outside of ASCII" : undefined
}
