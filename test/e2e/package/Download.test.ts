/** The README's download of a release, from a server in place of GitHub. */
import { execFile, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { readdirSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, inject, it } from "vitest"
import packageJson from "../../../package.json" with { type: "json" }
import * as Product from "../../../scripts/build/Product.ts"
import * as Package from "../../../scripts/debian/Package.ts"
import { emptyDirectory } from "../../fixtures/Tree.ts"
import * as Readme from "../systemd/Readme.ts"

const host = Product.host()
const possible = inject("dpkg") && host !== undefined && spawnSync("curl", ["--version"]).status === 0

describe.skipIf(!possible)("the README's download commands", () => {
  const deb = Package.fileName(host ?? "x86_64")
  const content = Buffer.alloc(100_000, "a package")
  const sum = createHash("sha256").update(content).digest("hex")
  const checksums = Buffer.from(`${sum}  another.deb\n${sum}  ${deb}\n`)

  /** Runs the README's commands in an empty folder, with a release that consists of these files. */
  const download = async (assets: Readonly<Record<string, Buffer>>) => {
    const server = createServer(({ url = "" }, response) => {
      const [, path = "", name = ""] = /^(\/.*\/)([^/]+)$/.exec(url) ?? []
      const body = assets[name]
      // like GitHub, redirects to the place where the files are
      if (path === `/releases/download/v${packageJson.version}/`)
        response.writeHead(302, { location: `/files/${name}` }).end()
      else if (path === "/files/" && body !== undefined) response.end(body)
      else response.writeHead(404).end("Not Found")
    })
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const folder = emptyDirectory()
    const { port } = server.address() as AddressInfo
    const script = Readme.commands("release=")
      .join("\n")
      .replace("https://github.com/<owner>/ibsr-export", `http://127.0.0.1:${port}`)
    const failed = await new Promise<unknown>((resolve) => {
      execFile("sh", ["-ec", script], { cwd: folder }, resolve)
    })
    server.close()
    return { folder, ok: failed === null, files: readdirSync(folder).toSorted() }
  }

  it("download the package for this machine, and verify its checksum", async () => {
    const { files, ok } = await download({ "checksums.txt": checksums, [deb]: content })
    expect(ok).toBe(true)
    expect(files).toEqual(["checksums.txt", deb].toSorted())
  })

  it.each([
    ["a package with other content", { "checksums.txt": checksums, [deb]: Buffer.from("something else") }],
    ["a release without checksums", { [deb]: content }],
    ["a release without the package", { "checksums.txt": checksums }]
  ])("fail for %s", async (_, assets) => {
    expect(await download(assets)).toMatchObject({ ok: false })
  })
})
