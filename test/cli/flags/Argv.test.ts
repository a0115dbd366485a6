import { describe, expect, it } from "@effect/vitest"
import * as Argv from "../../../src/cli/flags/Argv.ts"
import { quote } from "../../../src/cli/flags/Flag.ts"
import { s3Flags } from "../../../src/cli/flags/S3Flags.ts"
import { statusFlags } from "../../../src/cli/flags/StatusFlags.ts"

const parse = (...args: ReadonlyArray<string>) => Argv.parse({ s3: Object.values(s3Flags) }, args)

const runs = (...args: ReadonlyArray<string>) => ({ _tag: "Run", command: "s3", args })

const problems = (...args: ReadonlyArray<string>) => {
  const request = parse(...args)
  return request._tag === "Refused" ? request.error.problems : request._tag
}

describe("Argv.parse", () => {
  it.each<[args: ReadonlyArray<string>, command: string | undefined]>([
    [["--help"], undefined],
    [["help"], undefined],
    [["help", "s3"], "s3"],
    [["s3", "help"], "s3"],
    [["s3", "--help"], "s3"],
    [["s3", "-h", "--help"], "s3"],
    [["--help", "s3"], "s3"],
    [["s3", "--bucket", "b", "--help"], "s3"],
    [["s3", "--unknown", "--bucket", "", "--help", "--bucket"], "s3"],
    [["s3", "--bucket", "--help"], "s3"],
    [["--version", "--help"], undefined]
  ])("requests help for %j", (args, command) => {
    expect(parse(...args)).toEqual({ _tag: "Help", command, isShort: false })
  })

  it.each<[args: ReadonlyArray<string>, command: string | undefined]>([
    [["-h"], undefined],
    [["s3", "-h"], "s3"],
    [["-h", "s3"], "s3"]
  ])("requests short help for %j", (args, command) => {
    expect(parse(...args)).toEqual({ _tag: "Help", command, isShort: true })
  })

  it("distinguishes an empty command line from an unknown command", () => {
    expect(parse()).toEqual({ _tag: "Nothing" })
  })

  it("takes one exit code to explain", () => {
    expect(parse("explain", "22")).toEqual({ _tag: "Explain", subject: "22" })
    expect(problems("explain")).toEqual(["explain takes one exit code, such as 22"])
    expect(problems("explain", "22", "23")).toEqual(["explain takes one exit code, such as 22"])
  })

  it.each([[["--version"]], [["-V"]], [["version"]], [["s3", "--version"]], [["s3", "--unknown", "--version"]]])(
    "requests the version for %j",
    (args) => {
      expect(parse(...args)).toEqual({ _tag: "Version" })
    }
  )

  it("treats --help after an equals sign as a value", () => {
    expect(parse("s3", "--prefix=--help")).toEqual(runs("--prefix", quote("--help")))
  })

  it("does not look for --help after --", () => {
    expect(problems("s3", "--", "--help")).toContainEqual(expect.stringContaining("unexpected argument '--'"))
  })
})

describe("the names of documents", () => {
  const texts = ["man", "completion bash", "completion zsh"]
  const named = (...args: ReadonlyArray<string>) => Argv.parse({ s3: [] }, args, texts)
  const refusal = (...args: ReadonlyArray<string>) => {
    const request = named(...args)
    return request._tag === "Refused" ? request.error.problems : request._tag
  }

  it.each([[["man"]], [["completion", "zsh"]]])("are selected by their exact words: %j", (args) => {
    expect(named(...args)).toEqual({ _tag: "Text", text: args.join(" ") })
  })

  it("are listed when the requested document does not exist", () => {
    expect(refusal("completion", "ksh")).toEqual(["'completion ksh': there is completion bash, completion zsh"])
    expect(refusal("completion")).toEqual(["'completion': there is completion bash, completion zsh"])
    expect(refusal("man", "--input", "x")).toEqual(["'man --input x': there is man"])
  })

  it("are suggested for similar words, as commands are", () => {
    expect(refusal("--input", "x")).toEqual(["a command comes first: s3, man, completion, explain"])
    expect(refusal("mam")).toEqual(["unknown command 'mam'; did you mean man?"])
  })

  it("accept --help, as commands do", () => {
    expect(named("man", "--help")).toEqual({ _tag: "Help", command: "man", isShort: false })
  })
})

describe("Argv.words", () => {
  it("contain each flag in one word, with its value unchanged", () => {
    const request = parse(
      "s3",
      "--include=a b",
      "--include",
      ":x:",
      "--dry-run",
      "--prefix",
      "p",
      "--quiet",
      "--input=--bucket"
    )
    expect(request._tag === "Run" ? Argv.words(request.args) : request).toEqual([
      "--include=a b",
      "--include=:x:",
      "--dry-run",
      "--prefix=p",
      "--quiet",
      "--input=--bucket"
    ])
  })
})

describe("commands", () => {
  it.each([[["--bucket", "b"]], [["--bucket", "b", "s3"]], [["-x"]]])("must come first: %j", (args) => {
    expect(problems(...args)).toEqual(["a command comes first: s3, explain"])
  })

  it.each([
    ["S3", "unknown command 'S3'; did you mean s3?"],
    ["s4", "unknown command 's4'; did you mean s3?"],
    ["upload", "unknown command 'upload'"],
    ["constructor", "unknown command 'constructor'"],
    ["__proto__", "unknown command '__proto__'"]
  ])("cannot be %j", (name, problem) => {
    expect(problems(name, "--bucket", "b")).toEqual([problem])
  })

  it("need no flags", () => {
    expect(parse("s3")).toEqual(runs())
  })
})

describe("Argv.values", () => {
  it.each<[title: string, args: ReadonlyArray<string>, canonical: ReadonlyArray<string>]>([
    ["the next word", ["--include", "a"], ["--include", quote("a")]],
    ["the text after =", ["--include=a"], ["--include", quote("a")]],
    ["everything after the first =", ["--tag=a=b=c"], ["--tag", quote("a=b=c")]],
    ["the next word, even with =", ["--tag", "a=b"], ["--tag", quote("a=b")]],
    ["leading and trailing spaces", ["--input", "  a b  "], ["--input", quote("  a b  ")]],
    ["a dash in the = form", ["--input=-"], ["--input", quote("-")]],
    ["a flag's name in the = form", ["--input=--bucket"], ["--input", quote("--bucket")]],
    ["another flag with a value in the = form", ["--input=--bucket=b"], ["--input", quote("--bucket=b")]],
    ["the command's name", ["--bucket", "s3"], ["--bucket", quote("s3")]],
    ["a negative number in the = form", ["--concurrency=-1"], ["--concurrency", quote("-1")]],
    ["text that already looks quoted", ["--input", ":a:"], ["--input", quote(":a:")]],
    ["characters beyond ASCII", ["--input=日本/ü"], ["--input", quote("日本/ü")]],
    ["absent for a switch", ["--dry-run", "--quiet"], ["--dry-run", "--quiet"]]
  ])("can be %s", (_, args, canonical) => {
    expect(parse("s3", ...args)).toEqual(runs(...canonical))
  })

  it("are collected in their order if the flag is repeatable", () => {
    expect(parse("s3", "--include", "a", "--bucket", "b", "--include=c", "--dry-run", "--include", "d")).toEqual(
      runs(
        "--include",
        quote("a"),
        "--include",
        quote("c"),
        "--include",
        quote("d"),
        "--bucket",
        quote("b"),
        "--dry-run"
      )
    )
  })

  it("may be equal if the flag is repeatable", () => {
    expect(parse("s3", "--include", "a", "--include", "a")).toEqual(
      runs("--include", quote("a"), "--include", quote("a"))
    )
  })
})

describe("words that do not belong to a flag", () => {
  const parseStatus = (...args: ReadonlyArray<string>) =>
    Argv.parse({ status: Object.values(statusFlags) }, ["status", ...args])
  const values = (...directories: ReadonlyArray<string>) =>
    directories.flatMap((directory) => ["--stored", quote(directory)])

  it.each<[args: ReadonlyArray<string>, canonical: ReadonlyArray<string>]>([
    [["--stored", "a", "b"], values("a", "b")],
    [["a", "--stored", "b"], values("a", "b")],
    [
      ["--stored", "-0", "a"],
      [...values("a"), "--null"]
    ],
    [
      ["--null", "--stored", "a"],
      ["--null", ...values("a")]
    ],
    [["--stored=a", "b", "--stored", "c"], values("a", "b", "c")],
    [["--stored", "--", "-0", "--", "--help"], values("-0", "--", "--help")]
  ])("are values of the flag that accepts them: %j", (args, canonical) => {
    expect(parseStatus(...args)).toEqual({ _tag: "Run", command: "status", args: canonical })
  })

  it.each([
    [["a"], "unexpected argument 'a': give it after --stored"],
    [["--", "a"], "unexpected argument 'a': give it after --stored"],
    [["--stored"], "--stored needs a value (DIR)"],
    [["--stored", "a", ""], "--stored needs a value (DIR)"],
    [["--stored=", "a"], "--stored needs a value (DIR)"],
    [["-0", "--null"], "--null is given more than once"]
  ])("are refused if %j", (args, problem) => {
    const request = parseStatus(...args)
    expect(request._tag === "Refused" ? request.error.problems : request).toEqual([problem])
  })
})

describe("error messages", () => {
  it.each<[title: string, args: ReadonlyArray<string>, problem: string]>([
    ["an unknown flag, with a suggestion", ["--inlcude", "a"], "unknown flag --inlcude; did you mean --include?"],
    ["an unknown flag in the = form", ["--buckett=b"], "unknown flag --buckett; did you mean --bucket?"],
    ["a flag in capital letters", ["--Bucket", "b"], "unknown flag --Bucket; did you mean --bucket?"],
    ["an unknown flag without suggesting its negation", ["--no-quiet"], "unknown flag --no-quiet"],
    ["an unknown flag without a suggestion if no flag is similar", ["--frobnicate"], "unknown flag --frobnicate"],
    ["an unknown flag and its value as one mistake", ["--frobnicate", "x"], "unknown flag --frobnicate"],
    ["a short flag", ["-c4"], "unknown flag -c4"],
    ["a flag with one dash", ["-bucket", "b"], "unknown flag -bucket; did you mean --bucket?"],
    ["a flag without its value", ["--bucket"], "--bucket needs a value (NAME)"],
    ["an empty value", ["--bucket", ""], "--bucket needs a value (NAME)"],
    ["an empty value in the = form", ["--bucket="], "--bucket needs a value (NAME)"],
    ["an empty value of a repeatable flag", ["--tag="], "--tag needs a value (KEY=VALUE)"],
    [
      "an empty prefix, with the prefix for the root",
      ["--prefix="],
      "--prefix needs a value (PREFIX); for the bucket's root give --prefix /"
    ],
    [
      "a flag in place of a value, with the form for a value",
      ["--bucket", "--dry-run"],
      "--bucket needs a value (NAME); if it is '--dry-run', write --bucket=--dry-run"
    ],
    ["a short flag in place of a value", ["--concurrency", "-x"], "unknown flag -x"],
    ["a non-repeatable flag given twice", ["--bucket", "a", "--bucket", "b"], "--bucket is given more than once"],
    [
      "a non-repeatable flag given twice in the = form",
      ["--bucket=a", "--bucket=b"],
      "--bucket is given more than once"
    ],
    [
      "a non-repeatable flag given twice with equal values",
      ["--bucket=a", "--bucket=a"],
      "--bucket is given more than once"
    ],
    ["a switch given twice", ["--dry-run", "--dry-run"], "--dry-run is given more than once"],
    ["a switch with a value", ["--dry-run=true"], "--dry-run takes no value"],
    ["a switch with an empty value", ["--dry-run="], "--dry-run takes no value"],
    ["a word without a flag", ["a.jsonl"], "unexpected argument 'a.jsonl': the command takes only flags"],
    ["a word after a switch", ["--quiet", "true"], "unexpected argument 'true': the command takes only flags"],
    ["an empty word", [""], "unexpected argument '': the command takes only flags"],
    ["--", ["--"], "unexpected argument '--': the command takes only flags"]
  ])("name %s", (_, args, problem) => {
    expect(problems("s3", ...args)).toContain(problem)
  })

  it.each([
    [["--frobnicate", "x"]],
    [["--presign", "1h"]],
    [["--timeout-sec", "1h"]],
    [["--frobnicate=x", "--bucket", "b"]],
    [["--bucket", "a", "--bucket", "b"]],
    [["--bucket", "a", "--bucket", "--dry-run"]],
    [["--bucket", "", "--input", "i"]],
    [["--bucket", "--dry-run"]]
  ])("name a single mistake only once: %j", (args) => {
    expect(problems("s3", ...args)).toHaveLength(1)
  })

  it("name all problems at once, in their order", () => {
    expect(
      problems("s3", "--bukket", "b", "word", "--input", "", "--dry-run=1", "--region", "r", "--region=q", "--sse")
    ).toEqual([
      "unknown flag --bukket; did you mean --bucket?",
      "unexpected argument 'word': the command takes only flags",
      "--input needs a value (DIR)",
      "--dry-run takes no value",
      "--region is given more than once",
      "--sse needs a value (MODE)"
    ])
  })

  it("do not treat the flag after a repeated flag as its value", () => {
    expect(problems("s3", "--bucket", "a", "--bucket", "--input", "/in")).toEqual(["--bucket is given more than once"])
  })
})

describe("flags of the former program", () => {
  it.each([[["--timeout-sec", "90"]], [["--timeout-sec=90"]]])(
    "include --timeout-sec, a time limit in seconds: %j",
    (args) => {
      expect(parse("s3", ...args, "--quiet")).toEqual(runs("--timeout", quote("90s"), "--quiet"))
    }
  )

  it.each([
    [["--timeout-sec", "0"]],
    [["--timeout-sec", "1h"]],
    [["--timeout-sec=90s"]],
    [["--timeout-sec="]],
    [["--timeout-sec"]],
    [["--timeout-sec", "--quiet"]]
  ])("require a number of seconds: %j", (args) => {
    expect(problems("s3", ...args)).toEqual(["--timeout-sec needs a number of seconds above zero"])
  })

  it("count as the same flag under the former and the present name", () => {
    expect(problems("s3", "--timeout=1m", "--timeout-sec", "90")).toEqual(["--timeout is given more than once"])
  })

  it("are not recognized in values", () => {
    expect(parse("s3", "--input=--timeout-sec=1")).toEqual(runs("--input", quote("--timeout-sec=1")))
  })

  it.each([
    [["--run-id", "2026-01-22T10:15:00Z"], "--prefix"],
    [["--run-id=x"], "--metadata"],
    [["--presign", "1h"], "aws s3 presign"],
    [["--presign"], "may only write"]
  ])("are refused, and the message names the replacement: %j", (args, instead) => {
    expect(problems("s3", ...args)).toEqual([expect.stringContaining(instead)])
  })
})
