import { spawn } from "node:child_process"
import { join } from "node:path"
import { describe, expect, inject, it } from "vitest"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { closedPort, run, s3 } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const program = inject("nodeExporter")

/** The lines that node_exporter serves for the metrics files of a directory. */
const scrape = async (directory: string): Promise<ReadonlyArray<string>> => {
  const address = `127.0.0.1:${await closedPort()}`
  const child = spawn(
    program!,
    [
      "--collector.disable-defaults",
      "--collector.textfile",
      `--collector.textfile.directory=${directory}`,
      `--web.listen-address=${address}`
    ],
    { stdio: "ignore" }
  )
  try {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline;) {
      const answer = await fetch(`http://${address}/metrics`).catch(() => undefined)
      if (answer?.ok === true) return (await answer.text()).split("\n")
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error("node_exporter does not respond")
  } finally {
    child.kill("SIGKILL")
  }
}

describe.skipIf(program === undefined)("node_exporter", () => {
  it("reads the metrics files of successful and failed jobs from one directory", async () => {
    const store = await startStore()
    const directory = emptyDirectory()
    const job = (endpoint: string, name: string) =>
      run([
        ...s3(tree({ "a.jsonl": "1\n" }), endpoint, "--max-retries=0", "--state-dir", emptyDirectory()),
        "--metrics-file",
        join(directory, name)
      ])
    expect((await job(store.endpoint, "succeeded.prom")).code).toBe(0)
    const unreachable = `http://127.0.0.1:${await closedPort()}`
    expect((await job(unreachable, "failed.prom")).code).toBe(30)

    const lines = await scrape(directory)
    expect(lines).toContain("node_textfile_scrape_error 0")
    const labels = (endpoint: string) => `{target="${endpoint}/snapshots/ibsr/host/snapshots"}`
    expect(lines).toContain(`ibsr_export_last_run_exit_code${labels(store.endpoint)} 0`)
    expect(lines).toContain(`ibsr_export_last_run_exit_code${labels(unreachable)} 30`)
    expect(lines).toContain(`ibsr_export_last_success_timestamp_seconds${labels(unreachable)} 0`)
    expect(lines).toContain(`ibsr_export_waiting_files${labels(unreachable)} 1`)
    expect(lines).toContain("# TYPE ibsr_export_lost_files_total counter")
    expect(lines.filter((line) => line.startsWith("# HELP ibsr_export_") && line.includes("Metric read from"))).toEqual(
      []
    )
  })
})
