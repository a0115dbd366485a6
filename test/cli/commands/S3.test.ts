import { hostname } from "node:os"
import { CliConfig, Command } from "@effect/cli"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option } from "effect"
import * as Argv from "../../../src/cli/flags/Argv.ts"
import * as S3Flags from "../../../src/cli/flags/S3Flags.ts"
import * as StateDir from "../../../src/cli/StateDir.ts"
import * as S3 from "../../../src/cli/commands/S3.ts"
import { UsageError } from "../../../src/domain/Errors.ts"

type Env = Readonly<Record<string, string>>

const flags = Object.values(S3Flags.s3)

/** What a run would be told to do. */
const invoke = (args: ReadonlyArray<string>, env: Env = {}) =>
  Effect.gen(function* () {
    const request = Argv.parse({ s3: flags }, ["s3", ...args])
    if (request._tag === "Refused") return yield* request.error
    if (request._tag !== "Run") return yield* Effect.dieMessage(request._tag)
    let captured = Option.none<S3.Invocation>()
    const command = Command.make("ibsr-export").pipe(
      Command.withSubcommands([
        S3.make({ words: request.args, env }, (invocation) =>
          Effect.sync(() => (captured = Option.some(invocation))).pipe(Effect.asVoid)
        )
      ])
    )
    yield* Command.run(command, { name: "ibsr-export", version: "0" })(["node", "ibsr-export", ...request.args])
    return Option.getOrThrow(captured)
  }).pipe(Effect.provide(Layer.merge(NodeContext.layer, CliConfig.layer({ isCaseSensitive: true }))))

/** Why there would be no run. */
const problems = (args: ReadonlyArray<string>, env: Env = {}) =>
  Effect.map(Effect.flip(invoke(args, env)), (error) => (error instanceof UsageError ? error.problems : [error]))

/** The two flags that are required; a row may replace them. */
const base: Env = { input: "/in", bucket: "b" }
const words = (values: Env) => Object.entries(values).map(([name, value]) => `--${name}=${value}`)
const given = (...args: ReadonlyArray<string>) => [...words(base), ...args]

const MiB = 1024 ** 2

describe("defaults", () => {
  it.effect("are those of the documentation", () =>
    Effect.gen(function* () {
      expect(yield* invoke(given())).toEqual({
        settings: {
          input: "/in",
          target: {
            bucket: "b",
            endpoint: undefined,
            region: undefined,
            forcePathStyle: undefined,
            profile: undefined,
            assumeRole: undefined
          },
          prefix: `ibsr/${hostname()}/snapshots`,
          include: ["**/*.jsonl"],
          exclude: [],
          followSymlinks: false,
          appendOnly: ["**/*.jsonl"],
          onReplace: "new-key",
          force: false,
          stateDir: StateDir.fallback(process.env),
          lockWait: Duration.zero,
          attributes: {
            encryption: { _tag: "BucketDefault" },
            storageClass: undefined,
            acl: undefined,
            tags: {},
            metadata: {},
            noOverwrite: false
          },
          compress: "none",
          concurrency: { initial: 128, max: 512, unitBytes: 32 * 1024 },
          memoryBytes: 64 * MiB,
          partSizeBytes: 8 * MiB,
          maxRetries: 8,
          timeout: Duration.seconds(60),
          giveUpAfter: Duration.minutes(5),
          deadline: undefined,
          grace: Duration.seconds(20),
          finalAfter: Duration.minutes(2),
          finalOnly: false,
          failIfEmpty: false,
          dryRun: false
        },
        output: { format: "text", quiet: false },
        log: { format: "auto", level: "Info" },
        metricsFile: undefined
      })
    })
  )
})

type Row = readonly [
  name: string,
  env: string,
  text: string,
  pick: (invocation: S3.Invocation) => unknown,
  expected: unknown,
  besides?: Env
]

const valued: ReadonlyArray<Row> = [
  ["input", "IBSR_EXPORT_INPUT", "/data", ({ settings }) => settings.input, "/data"],
  ["include", "IBSR_EXPORT_INCLUDE", "*.csv", ({ settings }) => settings.include, ["*.csv"]],
  ["exclude", "IBSR_EXPORT_EXCLUDE", "tmp/**", ({ settings }) => settings.exclude, ["tmp/**"]],
  ["bucket", "IBSR_EXPORT_BUCKET", "other", ({ settings }) => settings.target.bucket, "other"],
  ["prefix", "IBSR_EXPORT_PREFIX", "/a/b/", ({ settings }) => settings.prefix, "a/b"],
  [
    "endpoint",
    "AWS_ENDPOINT_URL_S3",
    "http://h:9000",
    ({ settings }) => settings.target.endpoint?.href,
    "http://h:9000/"
  ],
  ["endpoint", "AWS_ENDPOINT_URL", "http://h:9000", ({ settings }) => settings.target.endpoint?.href, "http://h:9000/"],
  ["region", "AWS_REGION", "eu-central-1", ({ settings }) => settings.target.region, "eu-central-1"],
  ["region", "AWS_DEFAULT_REGION", "eu-central-1", ({ settings }) => settings.target.region, "eu-central-1"],
  ["profile", "AWS_PROFILE", "p", ({ settings }) => settings.target.profile, "p"],
  [
    "assume-role-arn",
    "IBSR_EXPORT_ASSUME_ROLE_ARN",
    "arn:aws:iam::1:role/r",
    ({ settings }) => settings.target.assumeRole,
    { arn: "arn:aws:iam::1:role/r", sessionName: "ibsr-export" }
  ],
  [
    "assume-role-session-name",
    "IBSR_EXPORT_ASSUME_ROLE_SESSION_NAME",
    "host-17",
    ({ settings }) => settings.target.assumeRole,
    { arn: "arn:r", sessionName: "host-17" },
    { "assume-role-arn": "arn:r" }
  ],
  ["sse", "IBSR_EXPORT_SSE", "s3", ({ settings }) => settings.attributes.encryption, { _tag: "S3" }],
  [
    "sse",
    "IBSR_EXPORT_SSE",
    "kms",
    ({ settings }) => settings.attributes.encryption,
    { _tag: "Kms", keyId: undefined, context: undefined }
  ],
  [
    "kms-key-id",
    "IBSR_EXPORT_KMS_KEY_ID",
    "k1",
    ({ settings }) => settings.attributes.encryption,
    { _tag: "Kms", keyId: "k1", context: undefined },
    { sse: "kms" }
  ],
  [
    "kms-context",
    "IBSR_EXPORT_KMS_CONTEXT",
    `{"a":"b"}`,
    ({ settings }) => settings.attributes.encryption,
    { _tag: "Kms", keyId: "k1", context: { a: "b" } },
    { sse: "kms", "kms-key-id": "k1" }
  ],
  [
    "storage-class",
    "IBSR_EXPORT_STORAGE_CLASS",
    "STANDARD_IA",
    ({ settings }) => settings.attributes.storageClass,
    "STANDARD_IA"
  ],
  ["tag", "IBSR_EXPORT_TAG", "a=b=c", ({ settings }) => settings.attributes.tags, { a: "b=c" }],
  ["metadata", "IBSR_EXPORT_METADATA", "host=h 1", ({ settings }) => settings.attributes.metadata, { host: "h 1" }],
  ["acl", "IBSR_EXPORT_ACL", "private", ({ settings }) => settings.attributes.acl, "private"],
  ["compress", "IBSR_EXPORT_COMPRESS", "zstd", ({ settings }) => settings.compress, "zstd"],
  ["compress", "IBSR_EXPORT_COMPRESS", "gzip", ({ settings }) => settings.compress, "gzip"],
  ["state-dir", "IBSR_EXPORT_STATE_DIR", "/state", ({ settings }) => settings.stateDir, "/state"],
  ["append-only", "IBSR_EXPORT_APPEND_ONLY", "*.log", ({ settings }) => settings.appendOnly, ["*.log"]],
  ["on-replace", "IBSR_EXPORT_ON_REPLACE", "fail", ({ settings }) => settings.onReplace, "fail"],
  ["lock-wait", "IBSR_EXPORT_LOCK_WAIT", "5m", ({ settings }) => settings.lockWait, Duration.minutes(5)],
  [
    "concurrency",
    "IBSR_EXPORT_CONCURRENCY",
    "7",
    ({ settings }) => settings.concurrency,
    { initial: 7, max: 7, unitBytes: Infinity }
  ],
  ["memory", "IBSR_EXPORT_MEMORY", "1GiB", ({ settings }) => settings.memoryBytes, 1024 * MiB],
  ["part-size", "IBSR_EXPORT_PART_SIZE", "16MiB", ({ settings }) => settings.partSizeBytes, 16 * MiB],
  ["max-retries", "IBSR_EXPORT_MAX_RETRIES", "0", ({ settings }) => settings.maxRetries, 0],
  ["timeout", "IBSR_EXPORT_TIMEOUT", "5s", ({ settings }) => settings.timeout, Duration.seconds(5)],
  ["give-up-after", "IBSR_EXPORT_GIVE_UP_AFTER", "10m", ({ settings }) => settings.giveUpAfter, Duration.minutes(10)],
  ["deadline", "IBSR_EXPORT_DEADLINE", "1h30m", ({ settings }) => settings.deadline, Duration.minutes(90)],
  ["final-after", "IBSR_EXPORT_FINAL_AFTER", "5m", ({ settings }) => settings.finalAfter, Duration.minutes(5)],
  ["grace", "IBSR_EXPORT_GRACE", "0s", ({ settings }) => settings.grace, Duration.zero],
  ["output", "IBSR_EXPORT_OUTPUT", "json", ({ output }) => output.format, "json"],
  ["log-format", "IBSR_EXPORT_LOG_FORMAT", "logfmt", ({ log }) => log.format, "logfmt"],
  ["metrics-file", "IBSR_EXPORT_METRICS_FILE", "/m.prom", ({ metricsFile }) => metricsFile, "/m.prom"]
]

type Switch = readonly [
  name: string,
  env: string,
  pick: (invocation: S3.Invocation) => unknown,
  on: unknown,
  off: unknown
]

const switches: ReadonlyArray<Switch> = [
  ["follow-symlinks", "IBSR_EXPORT_FOLLOW_SYMLINKS", ({ settings }) => settings.followSymlinks, true, false],
  ["final-only", "IBSR_EXPORT_FINAL_ONLY", ({ settings }) => settings.finalOnly, true, false],
  ["fail-if-empty", "IBSR_EXPORT_FAIL_IF_EMPTY", ({ settings }) => settings.failIfEmpty, true, false],
  ["dry-run", "IBSR_EXPORT_DRY_RUN", ({ settings }) => settings.dryRun, true, false],
  [
    "force-path-style",
    "IBSR_EXPORT_FORCE_PATH_STYLE",
    ({ settings }) => settings.target.forcePathStyle,
    true,
    undefined
  ],
  ["force", "IBSR_EXPORT_FORCE", ({ settings }) => settings.force, true, false],
  ["no-overwrite", "IBSR_EXPORT_NO_OVERWRITE", ({ settings }) => settings.attributes.noOverwrite, true, false],
  ["quiet", "IBSR_EXPORT_QUIET", ({ output }) => output.quiet, true, false],
  ["quiet", "IBSR_EXPORT_QUIET", ({ log }) => log.level, "Error", "Info"],
  ["verbose", "IBSR_EXPORT_VERBOSE", ({ log }) => log.level, "Debug", "Info"]
]

describe("flags", () => {
  it.effect.each(valued)("become settings: --%s (%s) %s", ([name, , text, pick, expected, besides]) =>
    Effect.gen(function* () {
      expect(pick(yield* invoke(words({ ...base, ...besides, [name]: text })))).toEqual(expected)
    })
  )

  it.effect.each(switches)("switch settings: --%s (%s)", ([name, , pick, on, off]) =>
    Effect.gen(function* () {
      expect(pick(yield* invoke(given(`--${name}`)))).toBe(on)
      expect(pick(yield* invoke(given()))).toBe(off)
    })
  )

  it("are all in these tables, with all of their variables", () => {
    const tested = new Set([...valued, ...switches].map(([name, env]) => `${name} ${env}`))
    expect(tested).toEqual(new Set(flags.flatMap(({ env, name }) => env.map((variable) => `${name} ${variable}`))))
  })

  it.effect("keep their order and number when repeated", () =>
    Effect.gen(function* () {
      const args = given("--include=b", "--tag", "x=1", "--include", "a", "--tag=y=2", "--include=b")
      const { settings } = yield* invoke(args)
      expect(settings.include).toEqual(["b", "a", "b"])
      expect(settings.attributes.tags).toEqual({ x: "1", y: "2" })
    })
  )

  it.effect("keep a ';' in a value, which separates values only in the environment", () =>
    Effect.gen(function* () {
      expect((yield* invoke(given("--exclude", "a;b"))).settings.exclude).toEqual(["a;b"])
    })
  )

  it.effect("log everything if both --verbose and --quiet are given", () =>
    Effect.gen(function* () {
      const { log, output } = yield* invoke(given("--verbose", "--quiet"))
      expect([log.level, output.quiet]).toEqual(["Debug", true])
    })
  )

  it.effect.each([
    "  outer blanks  ",
    " ",
    "\ttab\n",
    "--bucket",
    "--bucket=x",
    "--dry-run",
    "--help",
    "-h",
    "--version",
    "--wizard",
    "-",
    "--",
    "s3",
    "true",
    "42",
    ":quoted:",
    ":",
    `"quoted"`,
    "'quoted'",
    "a=b",
    "=",
    "日本語/ü/e\u0301/😀",
    "a\\b",
    "$HOME/`x`"
  ])("carry a value as it is: %j", (value) =>
    Effect.gen(function* () {
      const { settings } = yield* invoke([`--input=${value}`, "--bucket=b", `--include=${value}`, `--include=${value}`])
      expect(settings.input).toBe(value)
      expect(settings.target.bucket).toBe("b")
      expect(settings.include).toEqual([value, value])
      expect(settings.dryRun).toBe(false)
    })
  )
})

describe("environment", () => {
  it.effect.each(valued)("stands in for a flag: --%s, %s=%s", ([name, env, text, pick, expected, besides]) =>
    Effect.gen(function* () {
      const { [name]: _, ...others } = base
      expect(pick(yield* invoke(words({ ...others, ...besides }), { [env]: text }))).toEqual(expected)
    })
  )

  it.effect.each(
    switches.flatMap(([name, env, pick, on, off]) => [
      ...["1", "true", "yes", "on", "TRUE", "Yes"].map((text) => [name, env, text, pick, on] as const),
      ...["0", "false", "no", "off", "False", ""].map((text) => [name, env, text, pick, off] as const)
    ])
  )("switches: --%s, %s=%s", ([, env, text, pick, expected]) =>
    Effect.gen(function* () {
      expect(pick(yield* invoke(given(), { [env]: text }))).toBe(expected)
    })
  )

  it.effect("does not switch off what a flag switches on", () =>
    Effect.gen(function* () {
      const { settings } = yield* invoke(given("--dry-run"), { IBSR_EXPORT_DRY_RUN: "false" })
      expect(settings.dryRun).toBe(true)
    })
  )

  it.effect.each(["garbage", "2", " true", "constructor", "__proto__"])("refuses %j for a switch", (text) =>
    Effect.gen(function* () {
      expect(yield* problems(given(), { IBSR_EXPORT_DRY_RUN: text })).toEqual([
        `IBSR_EXPORT_DRY_RUN: expected true or false, got '${text}'`
      ])
    })
  )

  it.effect.each(valued)("is weaker than a flag: --%s, %s, %s", ([name, env, text, pick, expected, besides]) =>
    Effect.gen(function* () {
      const args = words({ ...base, ...besides, [name]: text })
      // not valid for any flag that checks its values, and another value for those that do not
      expect(pick(yield* invoke(args, { [env]: "not / valid" }))).toEqual(expected)
    })
  )

  it.effect("counts as not set where it is empty", () =>
    Effect.gen(function* () {
      const env = Object.fromEntries(flags.flatMap((flag) => flag.env.map((name) => [name, ""])))
      expect(yield* invoke(given(), env)).toEqual(yield* invoke(given()))
    })
  )

  it.effect("does not stand in for a required flag where it is empty", () =>
    Effect.gen(function* () {
      expect(yield* problems(["--bucket=b"], { IBSR_EXPORT_INPUT: "" })).toEqual([
        "--input is required (or IBSR_EXPORT_INPUT)"
      ])
    })
  )

  it.effect("asks the variables of a flag in turn, and passes over an empty one", () =>
    Effect.gen(function* () {
      const general = { AWS_ENDPOINT_URL: "http://general" }
      const both = { ...general, AWS_ENDPOINT_URL_S3: "http://special" }
      const empty = { ...general, AWS_ENDPOINT_URL_S3: "" }
      expect((yield* invoke(given(), both)).settings.target.endpoint?.href).toBe("http://special/")
      expect((yield* invoke(given(), empty)).settings.target.endpoint?.href).toBe("http://general/")
    })
  )

  it.effect.each([
    ["a;b", ["a", "b"]],
    [" a ; b c ;; ", ["a", "b c"]],
    ["a,b", ["a,b"]],
    ["{a,b}/**", ["{a,b}/**"]],
    ["--bucket;-x", ["--bucket", "-x"]]
  ] as const)("holds the values of a repeatable flag separated by ';': %j", ([text, values]) =>
    Effect.gen(function* () {
      expect((yield* invoke(given(), { IBSR_EXPORT_EXCLUDE: text })).settings.exclude).toEqual(values)
    })
  )

  it.effect("is replaced as a whole by a repeatable flag, as is the default", () =>
    Effect.gen(function* () {
      const env = { IBSR_EXPORT_INCLUDE: "a;b" }
      expect((yield* invoke(given("--include=c"), env)).settings.include).toEqual(["c"])
      expect((yield* invoke(given(), env)).settings.include).toEqual(["a", "b"])
    })
  )

  it.effect.each(["  a b  ", "--bucket", "日本/ü", ":a:", "a,b"])("carries a value as it is: %j", (value) =>
    Effect.gen(function* () {
      expect((yield* invoke(["--bucket=b"], { IBSR_EXPORT_INPUT: value })).settings.input).toBe(value)
    })
  )

  it.effect.each([
    ["IBSR_EXPORT_CONCURRENCY", "0", "an integer from 1 to 1024, or auto"],
    ["IBSR_EXPORT_TIMEOUT", "60", "a duration such as 500ms, 90s, 5m or 1h30m"],
    ["IBSR_EXPORT_SSE", "aes", "one of none, s3, kms"],
    ["IBSR_EXPORT_PREFIX", "a//b", "a prefix without empty segments ('//'); is a variable unset?"],
    ["AWS_ENDPOINT_URL", "minio:9000", "a URL such as https://minio.example.com:9000, without a path"],
    ["IBSR_EXPORT_TAG", "ab", "KEY=VALUE"]
  ] as const)("is named when its value is refused: %s=%s", ([name, value, expected]) =>
    Effect.gen(function* () {
      expect(yield* problems(given(), { [name]: value })).toEqual([`${name}: expected ${expected}, got '${value}'`])
    })
  )
})

describe("problems", () => {
  it.effect("name the variables of required flags", () =>
    Effect.gen(function* () {
      expect(yield* problems([])).toEqual([
        "--input is required (or IBSR_EXPORT_INPUT)",
        "--bucket is required (or IBSR_EXPORT_BUCKET)"
      ])
    })
  )

  it.effect.each([
    ["--concurrency", "1025", "an integer from 1 to 1024, or auto"],
    ["--max-retries", "101", "an integer from 0 to 100"],
    ["--memory", "5242879", "at least 5MiB"],
    ["--part-size", "4MiB", "at least 5MiB"],
    ["--part-size", "much", "a size such as 8MiB, 64M or 500KB"],
    ["--timeout", "0s", "a duration above zero"],
    ["--deadline", "0s", "a duration above zero"],
    ["--grace", "20", "a duration such as 500ms, 90s, 5m or 1h30m"],
    ["--output", "xml", "one of text, json"],
    [
      "--acl",
      "mine",
      "one of private, public-read, public-read-write, authenticated-read, aws-exec-read, bucket-owner-read, bucket-owner-full-control"
    ],
    ["--prefix", "a/../b", "a prefix without the segments '.' and '..'"],
    ["--kms-context", "a=b", `a JSON object of strings such as {"purpose":"ibsr"}`]
  ] as const)("tell what was expected instead: %s %s", ([flag, value, expected]) =>
    Effect.gen(function* () {
      expect(yield* problems(given(flag, value))).toEqual([`${flag}: expected ${expected}, got '${value}'`])
    })
  )

  it.effect("are told all at once, those of the environment with them", () =>
    Effect.gen(function* () {
      const args = ["--input=/in", "--concurrency=0", "--sse=x"]
      const env = { IBSR_EXPORT_TIMEOUT: "60", IBSR_EXPORT_QUIET: "maybe" }
      expect(yield* problems(args, env)).toEqual([
        "--bucket is required (or IBSR_EXPORT_BUCKET)",
        "--sse: expected one of none, s3, kms, got 'x'",
        "--concurrency: expected an integer from 1 to 1024, or auto, got '0'",
        "IBSR_EXPORT_TIMEOUT: expected a duration such as 500ms, 90s, 5m or 1h30m, got '60'",
        "IBSR_EXPORT_QUIET: expected true or false, got 'maybe'"
      ])
    })
  )

  it.effect("are told for each value of a repeated flag", () =>
    Effect.gen(function* () {
      expect(yield* problems(given("--tag=a", "--tag=b=c", "--tag=d"))).toEqual([
        "--tag: expected KEY=VALUE, got 'a'",
        "--tag: expected KEY=VALUE, got 'd'"
      ])
    })
  )

  it.effect.each([
    [["--memory=7MiB"], "--memory must have room for a part of --part-size: raise one or lower the other"],
    [["--part-size=6GiB", "--memory=20GiB"], "--part-size: S3 allows at most 5GiB"],
    [["--kms-key-id=k"], "--kms-key-id and --kms-context need --sse kms"],
    [["--sse=s3", `--kms-context={"a":"b"}`], "--kms-key-id and --kms-context need --sse kms"],
    [["--metadata=ibsr-state=final"], "--metadata: ibsr-state is written by this program"],
    [["--tag=a=1", "--tag=a=2"], "--tag: a key is given twice"],
    [["--metadata=a=1", "--metadata=a=1"], "--metadata: a key is given twice"],
    [Array.from({ length: 11 }, (_, at) => `--tag=k${at}=v`), "--tag: S3 allows at most 10"]
  ] as const)("are also of flags that do not go together: %j", ([args, problem]) =>
    Effect.gen(function* () {
      expect(yield* problems(given(...args))).toEqual([problem])
    })
  )

  it.effect("of flags that do not go together are told all at once", () =>
    Effect.gen(function* () {
      const args = given("--part-size=6GiB", "--sse=kms", `--kms-context={"a":"b"}`)
      expect(yield* problems(args)).toEqual([
        expect.stringContaining("--memory must have room for a part"),
        "--part-size: S3 allows at most 5GiB"
      ])
    })
  )
})
