// What a run costs in which nothing has changed, beside find(1), which looks at the same files. Run it by hand on a
// quiet machine: all figures are of one run, taken in turns, and what they are good for is their ratio.
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import * as MemoryStore from "../test/fakes/MemoryStore.ts"
import { exportOnce } from "../test/fixtures/Export.ts"
import * as Product from "./build/Product.ts"
import * as Concurrency from "../src/domain/Concurrency.ts"
import { settingsWith } from "../test/fixtures/Settings.ts"

const counts = [10_000, 100_000]
const rounds = 7
const endpoint = "http://127.0.0.1:9"

interface Cost {
  /** Seconds, user and system. */
  readonly cpu: number
  readonly wall: number
  /** Bytes; 0 where the system does not tell. */
  readonly peak: number
}

/** Runs a command; the shell around it tells what its children took. */
const cost = (command: ReadonlyArray<string>): Promise<Cost> =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const child = spawn("sh", ["-c", '"$@" >/dev/null; echo $? >&2; times', "sh", ...command], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    let peak = 0
    const sampling = setInterval(() => (peak = Math.max(peak, peakOfChildren(child.pid ?? 0))), 10)
    const told = { out: "", err: "" }
    child.stdout.on("data", (text) => (told.out += String(text)))
    child.stderr.on("data", (text) => (told.err += String(text)))
    child.on("close", () => {
      clearInterval(sampling)
      if (told.err !== "0\n") return reject(new Error(`${command.join(" ")}: ${told.err}`))
      const [, children = ""] = told.out.trim().split("\n")
      const cpu = [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
        (sum, [, m, s]) => sum + Number(m) * 60 + Number(s),
        0
      )
      return resolve({ cpu, wall: (performance.now() - startedAt) / 1000, peak })
    })
  })

/** Source: proc(5), `children` and `VmHWM`. */
const peakOfChildren = (pid: number): number => {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")
    return Math.max(
      ...children.map((child) => {
        const [, kilobytes = "0"] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child}/status`, "utf8")) ?? []
        return Number(kilobytes) * 1024
      })
    )
  } catch {
    return 0
  }
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** A directory of small snapshots, and a ledger in which all of them are stored. */
const prepare = async (root: string, count: number) => {
  const input = join(root, String(count))
  const stateDir = join(root, `state-${count}`)
  mkdirSync(input)
  for (let at = 0; at < count; at++) {
    const path = join(input, `snapshot_${String(at).padStart(10, "0")}.jsonl`)
    writeFileSync(path, `{"at":${at}}\n`)
    utimesSync(path, 1_700_000_000, 1_700_000_000)
  }
  const settings = settingsWith({ input, stateDir, concurrency: Concurrency.auto })
  const target = { ...settings.target, endpoint: new URL(endpoint) }
  const { totals } = await Effect.runPromise(exportOnce({ ...settings, target }, MemoryStore.make().layer))
  if (totals.uploaded !== count) throw new Error(`only ${totals.uploaded} of ${count} files are in the ledger`)
  const { bucket } = target
  const flags = ["--input", input, "--bucket", bucket, "--prefix", settings.prefix, "--endpoint", endpoint]
  return { input, run: [...Product.program(), "s3", ...flags, "--state-dir", stateDir] }
}

const root = mkdtempSync(join(tmpdir(), "ibsr-export-bench-"))
try {
  console.log(
    `Node ${process.versions.node}, medians of ${rounds} rounds in turns, nothing changed since the last run\n`
  )
  console.log("   files  command          CPU s  wall s  RSS MB")
  const peaks: Array<number> = []
  for (const count of counts) {
    const { input, run } = await prepare(root, count)
    const list = join(root, "list")
    const commands = {
      "ibsr-export": run,
      "find -printf": ["sh", "-c", `exec find "$0" -type f -printf '%p %s %T@\\n' > "$1"`, input, list]
    }
    const costs: Record<string, Array<Cost>> = { "ibsr-export": [], "find -printf": [] }
    for (let round = 0; round < rounds; round++) {
      for (const [name, command] of Object.entries(commands)) costs[name]?.push(await cost(command))
    }
    const of = (name: string, what: keyof Cost) => median((costs[name] ?? []).map((each) => each[what]))
    for (const name of Object.keys(commands)) {
      const [cpu, wall, peak] = (["cpu", "wall", "peak"] as const).map((what) => of(name, what))
      console.log(
        `${String(count).padStart(8)}  ${name.padEnd(14)} ${cpu!.toFixed(2).padStart(7)} ${wall!.toFixed(2).padStart(7)} ${(peak! / 1e6).toFixed(0).padStart(7)}`
      )
    }
    console.log(
      `          CPU ratio      ${(of("ibsr-export", "cpu") / of("find -printf", "cpu")).toFixed(1).padStart(7)}\n`
    )
    peaks.push(of("ibsr-export", "peak"))
  }
  const [few = 0, many = 0] = peaks
  if (existsSync("/proc/self/status"))
    console.log(`RSS of ${counts[1]} files over that of ${counts[0]}: ${(many / few).toFixed(2)}`)
} finally {
  rmSync(root, { recursive: true })
}
