/** Tests build-export.sh without running the build itself. */
import { spawnSync } from "node:child_process"
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { emptyDirectory } from "../fixtures/Tree.ts"

describe("build-export.sh", () => {
  let folder = ""
  beforeAll(() => {
    folder = emptyDirectory()
    copyFileSync(new URL("../../build-export.sh", import.meta.url), join(folder, "build-export.sh"))
    mkdirSync(join(folder, "bin"))
    writeFileSync(join(folder, "bin/node"), '#!/bin/sh\necho "node $*"\n')
    chmodSync(join(folder, "bin/node"), 0o755)
  })

  /** The output of the script with a `node` that only prints its arguments. */
  const build = (...args: ReadonlyArray<string>) => {
    const env = { PATH: `${join(folder, "bin")}:/usr/bin:/bin` }
    const { status, stderr, stdout } = spawnSync("./build-export.sh", args, { cwd: folder, env, encoding: "utf8" })
    return { status, stderr, lines: stdout.trim().split("\n") }
  }

  it("builds arm64 by default, and first says so and how to build x86_64", () => {
    expect(build()).toMatchObject({
      status: 0,
      lines: [
        "Building dist/ibsr-export-arm64, the default; for x86_64: ./build-export.sh --arch x86_64",
        "node scripts/setup.mjs",
        "node scripts/build.ts arm64"
      ]
    })
  })

  it.each([["--arch", "x86_64"], ["--arch=x86_64"]])("builds the architecture of %s", (...args) => {
    const { lines } = build(...args)
    expect(lines[0]).toBe("Building dist/ibsr-export-x86_64")
    expect(lines.at(-1)).toBe("node scripts/build.ts x86_64")
  })

  it.each([["--arch"], ["--arch="], ["--arch=amd64"], ["--architecture=arm64"]])("refuses %s", (...args) => {
    const { lines, status, stderr } = build(...args)
    expect(status).toBe(2)
    expect(lines).toEqual([""])
    expect(stderr).toMatch(/^\.\/build-export\.sh: (--arch must be arm64 or x86_64|unknown argument)/)
  })
})
