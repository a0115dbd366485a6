import { describe, expect, it } from "vitest"
import { texts } from "../../src/cli/Cli.ts"
import { run } from "./BuiltProgram.ts"

describe("a document for other programs", () => {
  it.each(Object.entries(texts))("is printed in full, with nothing else: %s", async (name, text) => {
    const result = await run(name.split(" "))
    expect([result.code, result.stderr]).toEqual([0, ""])
    expect(result.stdout).toBe(`${text().trimEnd()}\n`)
  })

  it("makes the program exit 60 and list the existing documents if it does not exist", async () => {
    const result = await run(["completion", "tcsh"])
    expect(result.code).toBe(60)
    expect(result.stderr).toContain("'completion tcsh': there is completion bash, completion zsh, completion fish")
  })
})
