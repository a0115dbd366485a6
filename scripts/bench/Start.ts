/** The cost of a start: --version compared with an empty script under Node, --help compared with the AWS CLI's. */
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import * as Product from "../build/Product.ts"
import * as Cost from "./Cost.ts"
import { costs } from "./Table.ts"
import type { Workload } from "./Workload.ts"

export const start: Workload = {
  name: "start",
  run: async ({ peers, root, rounds }) => {
    const command = Product.program()
    // a binary that was just written would seem to take more memory, because it is cached in larger pages
    for (const file of command) {
      execFileSync("sync", [file])
      execFileSync("dd", [`if=${file}`, "iflag=nocache", "count=0"], { stdio: "ignore" })
    }
    const empty = join(root, "empty.cjs")
    writeFileSync(empty, "")
    const env = { PATH: process.env["PATH"] ?? "", HOME: root, AWS_PAGER: "cat" }
    const aws = peers.filter((peer) => peer.program.startsWith("aws"))
    const commands = {
      "node, an empty script": { argv: [process.execPath, empty], env },
      "ibsr-export --version": { argv: [...command, "--version"], env },
      "ibsr-export s3 --help": { argv: [...command, "s3", "--help"], env },
      ...Object.fromEntries(
        aws.map(({ path, program }) => [`${program} --version`, { argv: [path, "--version"], env }])
      ),
      ...Object.fromEntries(
        aws.map(({ path, program }) => [`${program} s3 cp help`, { argv: [path, "s3", "cp", "help"], env }])
      )
    }
    console.log(`\n### start\n\n${costs(await Cost.measureAll(commands, rounds), "node, an empty script")}`)
    return []
  }
}
