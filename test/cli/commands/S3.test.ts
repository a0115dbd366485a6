import { hostname } from "node:os"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import * as S3 from "../../../src/cli/commands/S3.ts"
import * as Argv from "../../../src/cli/flags/Argv.ts"
import { s3Flags } from "../../../src/cli/flags/S3Flags.ts"
import * as StateDir from "../../../src/cli/StateDir.ts"
import { UsageError } from "../../../src/domain/Errors.ts"
import type { Settings } from "../../../src/domain/Settings.ts"

type Env = Readonly<Record<string, string>>

const flags = Object.values(s3Flags)

/** The settings that a command line gives. */
const settings = (args: ReadonlyArray<string>, env: Env = {}) =>
  Effect.gen(function* () {
    const request = Argv.parse({ s3: flags }, ["s3", ...args])
    if (request._tag === "Refused") return yield* request.error
    if (request._tag !== "Run") return yield* Effect.dieMessage(request._tag)
    return yield* S3.settings({ args: request.args, env })
  }).pipe(Effect.provide(NodeContext.layer))

/** Why a command line is refused. */
const problems = (args: ReadonlyArray<string>, env: Env = {}) =>
  Effect.map(Effect.flip(settings(args, env)), (error) => (error instanceof UsageError ? error.problems : [error]))

/** The two required flags; a row may replace them. */
const base: Env = { input: "/in", bucket: "b" }
const words = (values: Env) => Object.entries(values).map(([name, value]) => `--${name}=${value}`)
const given = (...args: ReadonlyArray<string>) => [...words(base), ...args]

const MiB = 1024 ** 2

describe("defaults", () => {
  it.effect("are as documented", () =>
    Effect.gen(function* () {
      expect(yield* settings(given())).toEqual({
        input: "/in",
        include: ["*.jsonl"],
        exclude: [],
        followSymlinks: false,
        finalOnly: false,
        finalAfter: Duration.minutes(2),
        retention: undefined,
        failIfEmpty: false,
        staleAfter: undefined,
        dryRun: false,
        bucket: "b",
        prefix: `ibsr/${hostname()}/snapshots`,
        endpoint: undefined,
        region: undefined,
        forcePathStyle: undefined,
        profile: undefined,
        assumeRoleArn: undefined,
        assumeRoleSessionName: "ibsr-export",
        sse: "none",
        kmsKeyId: undefined,
        kmsContext: undefined,
        storageClass: undefined,
        tags: {},
        metadata: {},
        acl: undefined,
        compress: "none",
        noOverwrite: false,
        overwrite: false,
        stateDir: StateDir.fallback({}),
        force: false,
        appendOnly: ["*.jsonl"],
        onReplace: "new-key",
        lockWait: Duration.zero,
        concurrency: { initial: 128, max: 512, unitBytes: 32 * 1024 },
        memoryBytes: 64 * MiB,
        partSizeBytes: 8 * MiB,
        maxRetries: 8,
        timeout: Duration.seconds(60),
        giveUpAfter: Duration.minutes(5),
        deadline: undefined,
        grace: Duration.seconds(20),
        outputFormat: "text",
        quiet: false,
        verbose: false,
        logFormat: "auto",
        metricsFile: undefined,
        ping: undefined,
        manifest: false,
        manifestFile: undefined
      })
    })
  )
})

type Row = readonly [name: string, env: string, text: string, field: keyof Settings, expected: unknown, besides?: Env]

const valued: ReadonlyArray<Row> = [
  ["input", "IBSR_EXPORT_INPUT", "/data", "input", "/data"],
  ["include", "IBSR_EXPORT_INCLUDE", "*.csv", "include", ["*.csv"]],
  ["exclude", "IBSR_EXPORT_EXCLUDE", "tmp/**", "exclude", ["tmp/**"]],
  ["bucket", "IBSR_EXPORT_BUCKET", "other", "bucket", "other"],
  ["prefix", "IBSR_EXPORT_PREFIX", "/a/b/", "prefix", "a/b"],
  ["endpoint", "AWS_ENDPOINT_URL_S3", "http://h:9000", "endpoint", new URL("http://h:9000/")],
  ["endpoint", "AWS_ENDPOINT_URL", "http://h:9000", "endpoint", new URL("http://h:9000/")],
  ["region", "AWS_REGION", "eu-central-1", "region", "eu-central-1"],
  ["region", "AWS_DEFAULT_REGION", "eu-central-1", "region", "eu-central-1"],
  ["profile", "AWS_PROFILE", "p", "profile", "p"],
  ["profile", "AWS_DEFAULT_PROFILE", "p", "profile", "p"],
  ["assume-role-arn", "IBSR_EXPORT_ASSUME_ROLE_ARN", "arn:aws:iam::1:role/r", "assumeRoleArn", "arn:aws:iam::1:role/r"],
  ["assume-role-session-name", "IBSR_EXPORT_ASSUME_ROLE_SESSION_NAME", "host-17", "assumeRoleSessionName", "host-17"],
  ["sse", "IBSR_EXPORT_SSE", "s3", "sse", "s3"],
  ["sse", "IBSR_EXPORT_SSE", "kms", "sse", "kms"],
  ["kms-key-id", "IBSR_EXPORT_KMS_KEY_ID", "k1", "kmsKeyId", "k1", { sse: "kms" }],
  ["kms-context", "IBSR_EXPORT_KMS_CONTEXT", `{"a":"b"}`, "kmsContext", { a: "b" }, { sse: "kms", "kms-key-id": "k1" }],
  ["storage-class", "IBSR_EXPORT_STORAGE_CLASS", "STANDARD_IA", "storageClass", "STANDARD_IA"],
  ["tag", "IBSR_EXPORT_TAG", "a=b=c", "tags", { a: "b=c" }],
  ["metadata", "IBSR_EXPORT_METADATA", "host=h 1", "metadata", { host: "h 1" }],
  ["acl", "IBSR_EXPORT_ACL", "private", "acl", "private"],
  ["compress", "IBSR_EXPORT_COMPRESS", "zstd", "compress", "zstd"],
  ["compress", "IBSR_EXPORT_COMPRESS", "gzip", "compress", "gzip"],
  ["state-dir", "IBSR_EXPORT_STATE_DIR", "/state", "stateDir", "/state"],
  ["append-only", "IBSR_EXPORT_APPEND_ONLY", "*.log", "appendOnly", ["*.log"]],
  ["on-replace", "IBSR_EXPORT_ON_REPLACE", "fail", "onReplace", "fail"],
  ["lock-wait", "IBSR_EXPORT_LOCK_WAIT", "5m", "lockWait", Duration.minutes(5)],
  ["concurrency", "IBSR_EXPORT_CONCURRENCY", "7", "concurrency", { initial: 7, max: 7, unitBytes: Infinity }],
  ["memory", "IBSR_EXPORT_MEMORY", "1GiB", "memoryBytes", 1024 * MiB],
  ["part-size", "IBSR_EXPORT_PART_SIZE", "16MiB", "partSizeBytes", 16 * MiB],
  ["max-retries", "IBSR_EXPORT_MAX_RETRIES", "0", "maxRetries", 0],
  ["timeout", "IBSR_EXPORT_TIMEOUT", "5s", "timeout", Duration.seconds(5)],
  ["give-up-after", "IBSR_EXPORT_GIVE_UP_AFTER", "10m", "giveUpAfter", Duration.minutes(10)],
  ["retention", "IBSR_EXPORT_RETENTION", "36h", "retention", Duration.hours(36)],
  ["stale-after", "IBSR_EXPORT_STALE_AFTER", "3h", "staleAfter", Duration.hours(3)],
  ["deadline", "IBSR_EXPORT_DEADLINE", "1h30m", "deadline", Duration.minutes(90)],
  ["final-after", "IBSR_EXPORT_FINAL_AFTER", "5m", "finalAfter", Duration.minutes(5)],
  ["grace", "IBSR_EXPORT_GRACE", "0s", "grace", Duration.zero],
  ["force-path-style", "IBSR_EXPORT_FORCE_PATH_STYLE", "no", "forcePathStyle", false],
  ["output", "IBSR_EXPORT_OUTPUT", "json", "outputFormat", "json"],
  ["log-format", "IBSR_EXPORT_LOG_FORMAT", "logfmt", "logFormat", "logfmt"],
  ["metrics-file", "IBSR_EXPORT_METRICS_FILE", "/m.prom", "metricsFile", "/m.prom"],
  ["ping", "IBSR_EXPORT_PING", "https://hc-ping.com/uuid", "ping", new URL("https://hc-ping.com/uuid")],
  ["manifest-file", "IBSR_EXPORT_MANIFEST_FILE", "/m.json", "manifestFile", "/m.json"]
]

const switches: ReadonlyArray<readonly [name: string, env: string, field: keyof Settings]> = [
  ["follow-symlinks", "IBSR_EXPORT_FOLLOW_SYMLINKS", "followSymlinks"],
  ["final-only", "IBSR_EXPORT_FINAL_ONLY", "finalOnly"],
  ["manifest", "IBSR_EXPORT_MANIFEST", "manifest"],
  ["fail-if-empty", "IBSR_EXPORT_FAIL_IF_EMPTY", "failIfEmpty"],
  ["dry-run", "IBSR_EXPORT_DRY_RUN", "dryRun"],
  ["force", "IBSR_EXPORT_FORCE", "force"],
  ["no-overwrite", "IBSR_EXPORT_NO_OVERWRITE", "noOverwrite"],
  ["quiet", "IBSR_EXPORT_QUIET", "quiet"],
  ["verbose", "IBSR_EXPORT_VERBOSE", "verbose"]
]

describe("flags", () => {
  it.effect.each(valued)("become settings: --%s (%s) %s", ([name, , text, field, expected, besides]) =>
    Effect.gen(function* () {
      expect((yield* settings(words({ ...base, ...besides, [name]: text })))[field]).toEqual(expected)
    })
  )

  it.effect.each(switches)("switch settings on: --%s (%s)", ([name, , field]) =>
    Effect.gen(function* () {
      expect((yield* settings(given(`--${name}`)))[field]).toBe(true)
      expect((yield* settings(given()))[field]).toBe(false)
    })
  )

  it.effect.each([
    [["--force-path-style"], true],
    [["--force-path-style", "--quiet"], true],
    [["--force-path-style=yes"], true],
    [["--force-path-style", "no"], false],
    [["--force-path-style=false"], false]
  ] as const)("need no value to choose path style: %j", ([args, expected]) =>
    Effect.gen(function* () {
      expect((yield* settings(given(...args))).forcePathStyle).toBe(expected)
    })
  )

  it("are all in these tables, with all their variables", () => {
    const tested = new Set([...valued, ...switches].map(([name, env]) => `${name} ${env}`))
    expect(tested).toEqual(new Set(flags.flatMap(({ env, name }) => env.map((variable) => `${name} ${variable}`))))
  })

  it.effect("keep their order and number when repeated", () =>
    Effect.gen(function* () {
      const args = given("--include=b", "--tag", "x=1", "--include", "a", "--tag=y=2", "--include=b")
      const { include, tags } = yield* settings(args)
      expect(include).toEqual(["b", "a", "b"])
      expect(tags).toEqual({ x: "1", y: "2" })
    })
  )

  it.effect("keep a ';' in a value, because it separates values only in the environment", () =>
    Effect.gen(function* () {
      expect((yield* settings(given("--exclude", "a;b"))).exclude).toEqual(["a;b"])
    })
  )

  it.effect("imply --sse kms with --kms-key-id", () =>
    Effect.gen(function* () {
      expect((yield* settings(given("--kms-key-id=k"))).sse).toBe("kms")
    })
  )

  it.effect("include --overwrite, which has no variable", () =>
    Effect.gen(function* () {
      expect((yield* settings(given("--overwrite"))).overwrite).toBe(true)
      expect((yield* settings(given(), { IBSR_EXPORT_OVERWRITE: "false" })).overwrite).toBe(false)
      expect(s3Flags.overwrite.env).toEqual([])
    })
  )

  it.effect("imply --final-only with --no-overwrite", () =>
    Effect.gen(function* () {
      expect((yield* settings(given("--no-overwrite"))).finalOnly).toBe(true)
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
  ])("pass a value unchanged: %j", (value) =>
    Effect.gen(function* () {
      const args = [`--input=${value}`, "--bucket=b", `--include=${value}`, `--include=${value}`]
      expect(yield* settings(args)).toMatchObject({
        input: value,
        bucket: "b",
        include: [value, value],
        dryRun: false
      })
    })
  )
})

describe("environment", () => {
  it.effect.each(valued)("replaces a missing flag: --%s, %s=%s", ([name, env, text, field, expected, besides]) =>
    Effect.gen(function* () {
      const { [name]: _, ...others } = base
      expect((yield* settings(words({ ...others, ...besides }), { [env]: text }))[field]).toEqual(expected)
    })
  )

  it.effect.each(
    switches.flatMap(([name, env, field]) => [
      ...["1", "true", "yes", "on", "TRUE", "Yes"].map((text) => [name, env, text, field, true] as const),
      ...["0", "false", "no", "off", "False", ""].map((text) => [name, env, text, field, false] as const)
    ])
  )("sets a switch: --%s, %s=%s", ([, env, text, field, expected]) =>
    Effect.gen(function* () {
      expect((yield* settings(given(), { [env]: text }))[field]).toBe(expected)
    })
  )

  it.effect("does not override a switch on the command line", () =>
    Effect.gen(function* () {
      expect((yield* settings(given("--dry-run"), { IBSR_EXPORT_DRY_RUN: "false" })).dryRun).toBe(true)
    })
  )

  it.effect.each(["garbage", "2", " true", "constructor", "__proto__"])("refuses %j for a switch", (text) =>
    Effect.gen(function* () {
      expect(yield* problems(given(), { IBSR_EXPORT_DRY_RUN: text })).toEqual([
        `IBSR_EXPORT_DRY_RUN: expected true or false, got '${text}'`
      ])
    })
  )

  it.effect.each(valued)("is overridden by a flag: --%s, %s, %s", ([name, env, text, field, expected, besides]) =>
    Effect.gen(function* () {
      const args = words({ ...base, ...besides, [name]: text })
      // invalid values for all flags that check their value, and valid values for the others
      expect((yield* settings(args, { [env]: "not / valid" }))[field]).toEqual(expected)
    })
  )

  it.effect("counts as unset if the variable is empty", () =>
    Effect.gen(function* () {
      const env = Object.fromEntries(flags.flatMap((flag) => flag.env.map((name) => [name, ""])))
      expect(yield* settings(given(), env)).toEqual(yield* settings(given()))
    })
  )

  it.effect("does not satisfy a required flag if the variable is empty", () =>
    Effect.gen(function* () {
      expect(yield* problems(["--bucket=b"], { IBSR_EXPORT_INPUT: "" })).toEqual([
        "--input is required (or IBSR_EXPORT_INPUT)"
      ])
    })
  )

  it.effect("tries the variables of a flag in order and skips an empty one", () =>
    Effect.gen(function* () {
      const general = { AWS_ENDPOINT_URL: "http://general" }
      const both = { ...general, AWS_ENDPOINT_URL_S3: "http://special" }
      const empty = { ...general, AWS_ENDPOINT_URL_S3: "" }
      expect((yield* settings(given(), both)).endpoint?.href).toBe("http://special/")
      expect((yield* settings(given(), empty)).endpoint?.href).toBe("http://general/")
    })
  )

  it.effect.each([
    ["a;b", ["a", "b"]],
    [" a ; b c ;; ", ["a", "b c"]],
    ["a,b", ["a,b"]],
    ["{a,b}/**", ["{a,b}/**"]],
    ["--bucket;-x", ["--bucket", "-x"]]
  ] as const)("holds the values of a repeatable flag, separated by ';': %j", ([text, values]) =>
    Effect.gen(function* () {
      expect((yield* settings(given(), { IBSR_EXPORT_EXCLUDE: text })).exclude).toEqual(values)
    })
  )

  it.effect("is ignored completely, like the default, if a repeatable flag is given", () =>
    Effect.gen(function* () {
      const env = { IBSR_EXPORT_INCLUDE: "a;b" }
      expect((yield* settings(given("--include=c"), env)).include).toEqual(["c"])
      expect((yield* settings(given(), env)).include).toEqual(["a", "b"])
    })
  )

  it.effect.each(["  a b  ", "--bucket", "日本/ü", ":a:", "a,b"])("passes a value unchanged: %j", (value) =>
    Effect.gen(function* () {
      expect((yield* settings(["--bucket=b"], { IBSR_EXPORT_INPUT: value })).input).toBe(value)
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

describe("error messages", () => {
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
    ["--bucket", "<customer-bucket-name>", "the name of a bucket (replace the placeholder <customer-bucket-name>)"],
    [
      "--prefix",
      "ibsr/<host-id>/snapshots",
      "a prefix without <host-id> (replace the placeholder, for example by {hostname})"
    ],
    [
      "--prefix",
      "ibsr/{host-id}/snapshots",
      "a prefix whose only braces are those of {hostname}, {machine-id} and {instance-id}"
    ],
    ["--prefix", "a/../b", "a prefix without the segments '.' and '..'"],
    ["--kms-context", "a=b", `a JSON object of strings such as {"purpose":"ibsr"}`]
  ] as const)("name the expected value: %s %s", ([flag, value, expected]) =>
    Effect.gen(function* () {
      const { [flag.slice(2)]: _, ...others } = base
      expect(yield* problems([...words(others), flag, value])).toEqual([
        `${flag}: expected ${expected}, got '${value}'`
      ])
    })
  )

  it.effect("name all problems at once, including those in the environment", () =>
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

  it.effect("name each invalid value of a repeated flag", () =>
    Effect.gen(function* () {
      expect(yield* problems(given("--tag=a", "--tag=b=c", "--tag=d"))).toEqual([
        "--tag: expected KEY=VALUE, got 'a'",
        "--tag: expected KEY=VALUE, got 'd'"
      ])
    })
  )

  it.effect.each([
    [["--memory=7MiB"], "--memory must have room for a part of --part-size: raise --memory or lower --part-size"],
    [["--part-size=6GiB", "--memory=20GiB"], "--part-size: S3 allows at most 5GiB"],
    [["--kms-key-id=k", "--sse=none"], "--kms-key-id and --kms-context need --sse kms"],
    [[`--kms-context={"a":"b"}`], "--kms-key-id and --kms-context need --sse kms"],
    [["--overwrite", "--no-overwrite"], "--overwrite and --no-overwrite contradict each other: give one of them"],
    [["--sse=s3", `--kms-context={"a":"b"}`], "--kms-key-id and --kms-context need --sse kms"],
    [["--metadata=ibsr-state=final"], "--metadata: this program sets ibsr-state"],
    [["--metadata=Ibsr-Hostname=h"], "--metadata: this program sets ibsr-hostname"],
    [["--metadata=ibsr-version=1"], "--metadata: this program sets ibsr-version"],
    [["--tag=a=1", "--tag=a=2"], "--tag: a key is given twice"],
    [["--metadata=a=1", "--metadata=a=1"], "--metadata: a key is given twice"],
    [Array.from({ length: 11 }, (_, at) => `--tag=k${at}=v`), "--tag: S3 allows at most 10"]
  ] as const)("name flags that contradict each other: %j", ([args, problem]) =>
    Effect.gen(function* () {
      expect(yield* problems(given(...args))).toEqual([problem])
    })
  )

  it.effect("name all contradictions at once", () =>
    Effect.gen(function* () {
      const args = given("--part-size=6GiB", "--sse=kms", `--kms-context={"a":"b"}`)
      expect(yield* problems(args)).toEqual([
        expect.stringContaining("--memory must have room for a part"),
        "--part-size: S3 allows at most 5GiB"
      ])
    })
  )
})
