/** Runs the program with random AWS files and variables, against a strict S3 server. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Random, seeded } from "../simulate/Random.ts"
import { StrictS3, writer } from "../strict-s3/StrictS3.ts"
import * as Program from "./Program.ts"

const pick = <A>(random: Random, choices: ReadonlyArray<A>): A => choices[random.below(choices.length)]!

const closed = "http://127.0.0.1:9"

/** Values by setting. `store` is the address of the server that accepts the right keys. */
const settings = (store: string): Readonly<Record<string, ReadonlyArray<string>>> => ({
  aws_access_key_id: [writer.accessKeyId, writer.accessKeyId, "other", "", "a b"],
  aws_secret_access_key: [writer.secretAccessKey, writer.secretAccessKey, "other", "", "\u00e9"],
  aws_session_token: ["token", ""],
  region: ["us-east-1", "eu-west-1", "", "no region", "-"],
  endpoint_url: [store, store, closed, "", "nonsense", "ftp://x"],
  services: ["dev", "missing"],
  source_profile: ["default", "one", "missing"],
  role_arn: ["arn:aws:iam::123456789012:role/r", "nonsense"],
  credential_source: ["Environment", "EcsContainer", "Nothing"],
  credential_process: [
    "true",
    "false",
    "echo {}",
    "echo nonsense",
    "no-such-program",
    `echo '{"Version":1,"AccessKeyId":"${writer.accessKeyId}","SecretAccessKey":"${writer.secretAccessKey}"}'`
  ],
  sso_session: ["dev", "missing"],
  web_identity_token_file: ["/nonexistent", "/dev/null", "config"],
  s3: ["\n  addressing_style = path\n  max_concurrent_requests = x", ""],
  ca_bundle: ["/nonexistent", "/dev/null"],
  output: ["json"],
  retry_mode: ["standard", "odd"],
  use_fips_endpoint: ["true", "perhaps"],
  defaults_mode: ["auto", "odd"]
})

const sectionNames = [
  "[default]",
  "[default]",
  "[profile one]",
  "[one]",
  "[profile one]",
  "[services dev]",
  "[sso-session dev]",
  "[",
  "[]",
  "[profile ]",
  "[profile \ud83d\ude00]"
]

const file = (random: Random, store: string): string => {
  const all = Object.entries(settings(store))
  const line = () => {
    const [name, choices] = pick(random, all)
    return pick(
      random,
      [
        `${name} = ${pick(random, choices)}`,
        `${name}=${pick(random, choices)}`,
        `# ${name}`,
        name,
        "=",
        "\ufeff"
      ].slice(0, random.chance(0.9) ? 2 : 6)
    )
  }
  const keys = `aws_access_key_id = ${writer.accessKeyId}\naws_secret_access_key = ${writer.secretAccessKey}`
  const section = () =>
    [
      pick(random, sectionNames),
      ...(random.chance(0.4) ? [keys] : []),
      ...Array.from({ length: random.below(5) }, line)
    ].join("\n")
  return Array.from({ length: random.below(4) }, section).join(pick(random, ["\n", "\r\n", "\n\n"]))
}

const variables = (store: string): ReadonlyArray<readonly [string, ReadonlyArray<string>]> => [
  ["AWS_ACCESS_KEY_ID", [writer.accessKeyId, "other", ""]],
  ["AWS_SECRET_ACCESS_KEY", [writer.secretAccessKey, "other", ""]],
  ["AWS_SESSION_TOKEN", ["", "token"]],
  ["AWS_PROFILE", ["one", "default", "missing", ""]],
  ["AWS_DEFAULT_PROFILE", ["one", "missing"]],
  ["AWS_REGION", ["us-east-1", "eu-west-1", ""]],
  ["AWS_DEFAULT_REGION", ["us-east-1", ""]],
  ["AWS_ENDPOINT_URL", [store, closed, "", "nonsense"]],
  ["AWS_ENDPOINT_URL_S3", [store, closed, ""]],
  ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", ["true", "false", "x"]],
  ["AWS_SDK_LOAD_CONFIG", ["1"]],
  ["AWS_CA_BUNDLE", ["/nonexistent"]],
  ["AWS_ROLE_ARN", ["arn:aws:iam::123456789012:role/r", ""]],
  ["AWS_WEB_IDENTITY_TOKEN_FILE", ["/nonexistent", "/dev/null"]],
  ["AWS_CONTAINER_CREDENTIALS_FULL_URI", [`${closed}/c`, "nonsense", "http://example.com/"]],
  ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ["/c", ""]],
  ["AWS_MAX_ATTEMPTS", ["x", "0"]],
  ["HTTP_PROXY", [closed, "nonsense", ""]],
  ["NO_PROXY", ["*", "127.0.0.1", ""]],
  ["HOME", ["", "/nonexistent"]]
]

/** Returns the problems found. `home` must have a directory `in` with a file. */
export const fuzz = async (seed: number, home: string, content: string): Promise<ReadonlyArray<string>> => {
  const random = seeded(seed)
  const store = await StrictS3.start()
  const aws = join(home, ".aws")
  mkdirSync(aws)
  const [config, credentials] = [file(random, store.endpoint), file(random, store.endpoint)]
  writeFileSync(join(aws, "config"), config)
  writeFileSync(join(aws, "credentials"), credentials)
  const env: Record<string, string> = { ...Program.environment(home), AWS_ENDPOINT_URL_STS: closed }
  for (const [name, choices] of variables(store.endpoint)) if (random.chance(0.12)) env[name] = pick(random, choices)
  const args = ["s3", "--input=in", "--bucket=snapshots", "--prefix=p", "--state-dir=state"]
  const limits = ["--max-retries=0", "--timeout=3s", "--deadline=10s"]
  const given = random.chance(0.4) ? ["--endpoint", store.endpoint] : []
  const ended = await Program.run([...args, ...limits, ...given], env, home)
  const stored = store.object("p/a.jsonl")?.body.toString()
  await store.stop()
  const problems = [Program.fault(ended) ?? []].flat()
  if (ended.code === 0 && stored !== content) problems.push("exit code 0, but the object is not in the store")
  return problems.map((problem) => `${problem}\n  ${JSON.stringify({ args: given, config, credentials, env })}`)
}
