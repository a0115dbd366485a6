/** Incomplete credentials. The run must not continue under the identity of the next source. */
import { execFileSync } from "node:child_process"
import { chmodSync, chownSync, mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { describe, expect, it } from "vitest"
import { writer } from "../../../scripts/strict-s3/StrictS3.ts"
import { tree } from "../../fixtures/Tree.ts"
import { run, s3 } from "../BuiltProgram.ts"
import { tinyFiles, withConfig, withoutKeys } from "../CredentialSources.ts"
import { startStore } from "../Store.ts"

const keys = `aws_access_key_id = ${writer.accessKeyId}\naws_secret_access_key = ${writer.secretAccessKey}\n`
/** The profile that would be used if the incomplete credentials counted as absent. */
const home = {
  HOME: tree({ ".aws/credentials": `[default]\n${keys}`, ".aws/config": `[profile empty]\nregion = r\n` })
}

const upload = async (env: NodeJS.ProcessEnv, ...flags: ReadonlyArray<string>) => {
  const store = await startStore()
  const result = await run(s3(tinyFiles(3), store.endpoint, "--region=us-east-1", ...flags), { env })
  return { ...result, requests: store.requests.length, store }
}

const keysAnd = (more: NodeJS.ProcessEnv) => ({ ...home, ...more })
const noKeysAnd = (more: NodeJS.ProcessEnv) => ({ ...withoutKeys, ...home, ...more })

describe("an incomplete set of variables", () => {
  it.each([
    [keysAnd({ AWS_SECRET_ACCESS_KEY: undefined }), "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not"],
    [keysAnd({ AWS_SECRET_ACCESS_KEY: "" }), "AWS_SECRET_ACCESS_KEY is not"],
    [keysAnd({ AWS_ACCESS_KEY_ID: undefined }), "AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not"],
    [keysAnd({ AWS_ACCESS_KEY_ID: " " }), "AWS_ACCESS_KEY_ID contains a blank"],
    [keysAnd({ AWS_ACCESS_KEY_ID: `${writer.accessKeyId}\n` }), "AWS_ACCESS_KEY_ID contains a line break"],
    [keysAnd({ AWS_SESSION_TOKEN: "t0ken-of-a-session\r" }), "AWS_SESSION_TOKEN contains a line break"],
    [keysAnd({ AWS_SECRET_ACCESS_KEY: "schlüssel" }), "AWS_SECRET_ACCESS_KEY contains a character outside of ASCII"],
    [noKeysAnd({ AWS_SESSION_TOKEN: "t0ken-of-a-session" }), "AWS_SESSION_TOKEN is set, but AWS_ACCESS_KEY_ID and"]
  ])("ends the run before a request (%#)", async (env, message) => {
    const { code, requests, stdout } = await upload(env)
    expect([code, stdout, requests]).toEqual([20, expect.stringContaining(message), 0])
  })

  // each of these sources comes after the profile in the chain; the metadata of the instance would follow
  it.each([
    [{ AWS_WEB_IDENTITY_TOKEN_FILE: "/t" }, "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not"],
    [{ AWS_ROLE_ARN: "arn:aws:iam::1:role/r" }, "AWS_ROLE_ARN is set, but AWS_WEB_IDENTITY_TOKEN_FILE is not"],
    [{ AWS_CONTAINER_AUTHORIZATION_TOKEN: "t0ken" }, "AWS_CONTAINER_AUTHORIZATION_TOKEN is set, but"],
    [
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://127.0.0.1:1/", AWS_CONTAINER_AUTHORIZATION_TOKEN: "t0ken-9\n" },
      "AWS_CONTAINER_AUTHORIZATION_TOKEN contains a line break"
    ]
  ])("ends the run even if its source comes after the profile (%#)", async (env, message) => {
    const { code, requests, stdout } = await upload({ ...withoutKeys, ...env })
    expect([code, stdout, requests]).toEqual([20, expect.stringContaining(message), 0])
  })

  it("is refused once per run, not once per file", async () => {
    const { stdout } = await upload({ AWS_ACCESS_KEY_ID: "AKIA\n" })
    expect(stdout).toContain("AWS_ACCESS_KEY_ID contains")
    expect(stdout).not.toContain(".jsonl")
  })

  it("counts as unset when all of its variables are empty", async () => {
    const { code, stdout } = await upload({ ...home, AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" })
    expect(code, stdout).toBe(0)
  })
})

describe("an incomplete profile", () => {
  it.each([
    [`[profile export]\naws_access_key_id = AKIA\n`, "but not aws_secret_access_key"],
    [`[profile export]\nregion = us-east-1\n`, "has no keys, role, credential_process or SSO session"],
    [`[profile export]\nrole_arn = arn:aws:iam::1:role/r\n`, "but not source_profile"]
  ])("ends the run before a request (%#)", async (config, message) => {
    const { code, requests, stdout } = await upload(withConfig(config), "--profile=export")
    expect([code, stdout, requests]).toEqual([20, expect.stringContaining(message), 0])
  })

  it.each([
    ["is misspelt in config", { ".aws/config": `[export]\n${keys}` }, "write [profile export] instead of [export]"],
    ["is misspelt in credentials", { ".aws/credentials": `[profile export]\n${keys}` }, "write [export] instead of"],
    ["has a region in quotes", { ".aws/config": '[profile export]\nregion = "r"\n' }, "remove the quotes"],
    ["does not exist", { ".aws/config": "[default]\n" }, "'export' is in no AWS configuration file"]
  ])("ends the run with 61 when it %s", async (_, files, message) => {
    const { code, requests, stdout } = await upload({ ...withoutKeys, HOME: tree(files) }, "--profile=export")
    expect([code, stdout, requests]).toEqual([61, expect.stringContaining(message), 0])
  })

  it("does not matter when the environment has keys and no profile is named", async () => {
    const { code, stdout } = await upload({ HOME: tree({ ".aws/credentials": "[default]\naws_access_key_id = A\n" }) })
    expect(code, stdout).toBe(0)
  })
})

describe("AWS_DEFAULT_PROFILE", () => {
  it("names the profile, as for the AWS CLI", async () => {
    const files = { ".aws/credentials": `[default]\naws_access_key_id = A\naws_secret_access_key = b\n[prod]\n${keys}` }
    const { code, stdout, store } = await upload({ ...withoutKeys, HOME: tree(files), AWS_DEFAULT_PROFILE: "prod" })
    expect(code, stdout).toBe(0)
    expect(new Set(store.requests.map(({ identity }) => identity))).toEqual(new Set([writer.accessKeyId]))
  })

  it("gives way to AWS_PROFILE", async () => {
    const { code, stdout } = await upload(noKeysAnd({ AWS_PROFILE: "default", AWS_DEFAULT_PROFILE: "nobody" }))
    expect(code, stdout).toBe(0)
  })
})

/** A pipe to which nobody writes. */
const pipe = () => {
  const path = join(tree({}), "pipe")
  execFileSync("mkfifo", [path])
  return path
}

describe("a file that a setting names", () => {
  const role = "arn:aws:iam::1:role/r"
  it.each([
    ["AWS_CA_BUNDLE", 61, (path: string) => keysAnd({ AWS_CA_BUNDLE: path })],
    ["AWS_CONFIG_FILE", 61, (path: string) => keysAnd({ AWS_CONFIG_FILE: path })],
    [
      "AWS_WEB_IDENTITY_TOKEN_FILE",
      20,
      (path: string) => ({ ...withoutKeys, AWS_WEB_IDENTITY_TOKEN_FILE: path, AWS_ROLE_ARN: role })
    ],
    [
      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
      20,
      (path: string) => ({
        ...withoutKeys,
        AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://127.0.0.1:1/",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: path
      })
    ],
    [
      "web_identity_token_file in a profile",
      20,
      (path: string) => withConfig(`[default]\nrole_arn = ${role}\nweb_identity_token_file = ${path}\n`)
    ]
  ] as const)("must not be a pipe: %s", async (_, expected, env) => {
    const path = pipe()
    const { code, requests, stdout } = await upload(env(path))
    expect([code, stdout, requests]).toEqual([expected, expect.stringContaining("not a regular file"), 0])
    expect(stdout).toContain(path)
  })

  it("must not be a pipe: NODE_EXTRA_CA_CERTS of an https endpoint", async () => {
    const env = { NODE_EXTRA_CA_CERTS: pipe() }
    const { code, stdout } = await run(s3(tinyFiles(1), "https://127.0.0.1:1", "--region=us-east-1"), { env })
    expect([code, stdout]).toEqual([61, expect.stringContaining("not a regular file")])
  })

  it("must not be a pipe: AWS_CONFIG_FILE, if it may contain the region", async () => {
    const { code, stdout } = await run(["s3", "--input", tinyFiles(1), "--bucket=snapshots"], {
      env: { AWS_CONFIG_FILE: pipe() }
    })
    expect([code, stdout]).toEqual([61, expect.stringContaining("not a regular file")])
  })
})

describe("an AWS configuration file", () => {
  it.each(["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])("must exist if %s names it", async (name) => {
    const { code, requests, stdout } = await upload(noKeysAnd({ [name]: "/nonexistent/keys" }))
    const message = `/nonexistent/keys, which ${name} names, does not exist (ENOENT)`
    expect([code, stdout, requests]).toEqual([61, expect.stringContaining(message), 0])
  })

  it.each(["config", "credentials"])("must be readable: ~/.aws/%s is a directory", async (name) => {
    const broken = tree({})
    mkdirSync(join(broken, ".aws", name), { recursive: true })
    const { code, requests, stdout } = await upload({ ...withoutKeys, HOME: broken })
    const message = `${broken}/.aws/${name} cannot be read (EISDIR)`
    expect([code, stdout, requests]).toEqual([61, expect.stringContaining(message), 0])
  })

  it.skipIf(process.getuid?.() !== 0)("must be readable for the user of the program", async () => {
    const store = await startStore()
    const [locked, input, state] = [tree({ ".aws/credentials": `[default]\n${keys}` }), tinyFiles(1), tree({})]
    chmodSync(join(locked, ".aws/credentials"), 0o600)
    for (const path of [locked, join(locked, ".aws"), input]) chmodSync(path, 0o755)
    chownSync(state, 65534, 65534)
    const result = await run(s3(input, store.endpoint, "--region=us-east-1", "--state-dir", state), {
      commandPrefix: ["setpriv", "--reuid=65534", "--clear-groups"],
      env: { ...withoutKeys, HOME: locked }
    })
    expect([result.code, result.stdout]).toEqual([61, expect.stringContaining("cannot be read (EACCES)")])
  })

  it.each([
    ["a device without end", () => "/dev/zero"],
    ["larger than 1 MiB", () => join(tree({ large: Buffer.alloc(1024 ** 2 + 1, "#") }), "large")]
  ])("must not be %s", async (_, path) => {
    const { code, requests, stdout } = await upload({ AWS_CONFIG_FILE: path() })
    expect([code, stdout, requests]).toEqual([61, expect.stringContaining("is not a regular file of at most 1 MiB"), 0])
  })

  it("must have a section before its settings", async () => {
    const { code, requests, stdout } = await upload({ ...withoutKeys, HOME: tree({ ".aws/credentials": keys }) })
    expect([code, stdout, requests]).toEqual([61, expect.stringContaining("line 1 stands before the first"), 0])
  })

  it("may be /dev/null, or a link to it", async () => {
    const folder = tree({})
    symlinkSync("/dev/null", join(folder, "link"))
    const env = { AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: join(folder, "link") }
    const { code, stdout } = await upload(env)
    expect(code, stdout).toBe(0)
  })
})
