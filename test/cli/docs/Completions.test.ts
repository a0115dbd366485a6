import { spawnSync } from "node:child_process"
import { describe, expect, it } from "vitest"
import * as Bash from "../../../src/cli/docs/Bash.ts"
import * as Fish from "../../../src/cli/docs/Fish.ts"
import * as Zsh from "../../../src/cli/docs/Zsh.ts"
import * as Manual from "../../../src/cli/docs/Manual.ts"
import { tree } from "../../fixtures/Tree.ts"

const folder = tree({
  script: "",
  "snap shots/a.jsonl": "",
  "snapshot.txt": "",
  "c.bash": Bash.script(),
  "c.zsh": Zsh.script(),
  "c.fish": Fish.script()
})

const runs = (command: string, ...args: ReadonlyArray<string>) => {
  const { error, stderr, stdout } = spawnSync(command, args, { cwd: folder, encoding: "utf8" })
  return { there: error === undefined, stderr, lines: (stdout ?? "").split("\n").filter((line) => line !== "") }
}

/** Returns the words that a shell offers in place of the last one. */
type Complete = (...words: ReadonlyArray<string>) => ReadonlyArray<string>

const bash: Complete = (...words) => {
  // compopt only works at a terminal
  const { lines, stderr } = runs(
    "bash",
    "-c",
    `source c.bash; compopt() { :; }; COMP_WORDS=(ibsr-export "$@"); COMP_CWORD=$#; _ibsr_export; printf '%s\\n' "\${COMPREPLY[@]}"`,
    "bash",
    ...words
  )
  expect(stderr).toBe("")
  return lines
}

const fish: Complete = (...words) => {
  const { lines, stderr } = runs(
    "fish",
    "--no-config",
    "-c",
    `source c.fish; complete -C "ibsr-export ${words.join(" ")}"`
  )
  expect(stderr).toBe("")
  return lines.map((line) => line.split("\t", 1)[0]!)
}

const shells: ReadonlyArray<[name: string, complete: Complete]> = [
  ["bash", bash],
  ["fish", fish]
]

const commands = ["check", "completion", "explain", "man", "policy", "s3", "status", "units", "verify"]
const flagsOf = (command: keyof typeof Manual.flags) => Manual.flags[command].map(({ name }) => `--${name}`)

for (const [shell, complete] of shells) {
  const { there } = runs(shell, "--version")
  if (!there) console.log(`${shell} is not installed: the tests of its completion are skipped`)

  describe.skipIf(!there)(shell, () => {
    it("offers the commands", () => {
      expect(
        complete("")
          .filter((word) => !word.startsWith("-"))
          .toSorted()
      ).toEqual(commands)
      expect(complete("st")).toEqual(["status"])
    })

    it.each(["s3", "status", "units", "verify"] as const)("offers exactly the flags of %s", (command) => {
      const offered = complete(command, "--").filter((word) => word !== "--help")
      expect(offered.toSorted()).toEqual(flagsOf(command).toSorted())
    })

    it("offers the values of a flag", () => {
      expect(complete("s3", "--sse", "").toSorted()).toEqual(["kms", "none", "s3"])
      expect(complete("units", "--drop-in", "st")).toEqual(["static-keys"])
      expect(complete("completion", "z")).toEqual(["zsh"])
    })

    it("offers directories for a directory flag, files for a file flag, and nothing for free text", () => {
      expect(complete("s3", "--input", "s").map((path) => path.replace(/\/$/, ""))).toEqual(["snap shots"])
      expect(complete("units", "--program", "sc")).toEqual(["script"])
      expect(complete("s3", "--bucket", "s")).toEqual([])
    })
  })
}

describe("bash", () => {
  it("completes a value after '=', which bash splits into a word of its own", () => {
    expect(bash("s3", "--sse", "=", "k")).toEqual(["kms"])
    expect(bash("s3", "--sse", "=").toSorted()).toEqual(["kms", "none", "s3"])
  })
})

/** The arguments of zsh's completion functions. */
const zsh = (...words: ReadonlyArray<string>) =>
  runs(
    "zsh",
    "-fc",
    `compdef() { :; }; for f in _arguments _describe _values; do eval "$f() { print -rl -- $f \\"\\$@\\" \\"\\$commands[@]\\"; }"; done; source c.zsh; words=(ibsr-export "$@"); CURRENT=$(($# + 1)); _ibsr_export`,
    "zsh",
    ...words
  )

const { there } = runs("zsh", "--version")
if (!there) console.log("zsh is not installed: the tests of its completion are skipped")

describe.skipIf(!there)("zsh", () => {
  it("describes the commands", () => {
    const { lines, stderr } = zsh("")
    expect(stderr).toBe("")
    expect(
      lines
        .filter((line) => line.includes(":"))
        .map((line) => line.split(":", 1)[0])
        .toSorted()
    ).toEqual(commands)
  })

  it.each(["s3", "status", "units", "verify"] as const)("specifies the flags of %s and their values", (command) => {
    const { lines, stderr } = zsh(command, "")
    expect(stderr).toBe("")
    const specified = lines
      .flatMap((line) => /^\*?(--[a-z0-9-]+)/.exec(line)?.[1] ?? [])
      .filter((name) => name !== "--help")
    expect(specified).toEqual(flagsOf(command))
    if (command === "s3") {
      expect(lines).toContain("--input=[directory to upload]:DIR:_files -/")
      expect(lines.find((line) => line.startsWith("--sse="))).toMatch(/:MODE:\(none s3 kms\)$/)
      expect(lines.find((line) => line.startsWith("--kms-key-id="))).toContain("needs kms\\:GenerateDataKey, and")
      expect(lines.find((line) => line.includes("--tag="))).toMatch(/^\*--tag=/)
    }
  })
})
