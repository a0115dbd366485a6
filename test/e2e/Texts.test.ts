import { describe, expect, it } from "vitest"
import { texts } from "../../src/cli/docs/Texts.ts"
import { run } from "./Program.ts"

describe("what is printed for other programs", () => {
  it.each(Object.entries(texts))("is all of it, and nothing else: %s", async (name, text) => {
    const ended = await run(name.split(" "))
    expect([ended.code, ended.stderr]).toEqual([0, ""])
    expect(ended.stdout).toBe(`${text().trimEnd()}\n`)
  })

  it("is named with what there is, where it does not exist", async () => {
    const ended = await run(["completion", "tcsh"])
    expect(ended.code).toBe(60)
    expect(ended.stderr).toContain("'completion tcsh': there is completion bash, completion zsh, completion fish")
  })
})
