/** Runs the built program, and judges how it ended. */
import { spawn } from "node:child_process"
import { resolve } from "node:path"
import process from "node:process"
import * as Product from "../build/Product.ts"

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
  readonly isLate: boolean
}

const [command = "", ...first] = Product.program().map((word) => resolve(word))

/** Kills the program after `limitMillis`, which is longer than any limit that its flags set. */
export const run = (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  cwd: string,
  limitMillis = 60_000
): Promise<Ended> =>
  new Promise((done, reject) => {
    const child = spawn(command, [...first, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      child.kill("SIGKILL")
    }, limitMillis)
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text))
    child.on("error", reject)
    child.on("close", (code, signal) => {
      clearTimeout(timer)
      done({ code, signal, output, isLate })
    })
  })

/** Describes a crash, a defect or a hang, which no input may cause; undefined if there was none. */
export const fault = ({ code, isLate, output, signal }: Ended): string | undefined => {
  if (isLate) return "it does not end"
  if (signal !== null) return `${signal} ended it`
  const isDefect = code === 1 || code === 70 || (code !== null && code >= 126 && ![129, 130, 143].includes(code))
  return isDefect ? `exit code ${code}: ${output.trim().split("\n").slice(-3).join(" | ")}` : undefined
}

/** The environment of a host with credentials. It contains no variable of this machine. */
export const environment = (home: string): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: home,
  AWS_EC2_METADATA_DISABLED: "true"
})
