/** Checks that an operator who sees only the exit code and the last two lines knows what is wrong and what to do. */
import { describe, expect, it } from "vitest"
import { run, type RunResult } from "./BuiltProgram.ts"
import { hostFaults } from "./lastlines/HostFaults.ts"
import type { LastLinesCase } from "./lastlines/LastLinesCase.ts"
import { networkFaults } from "./lastlines/NetworkFaults.ts"
import { storeFaults } from "./lastlines/StoreFaults.ts"

const tables = {
  "a fault of the store": storeFaults,
  "a fault of the network": networkFaults,
  "a fault of the host": hostFaults
}

/** Few retries, because all of them would take minutes and lead to the same last lines. */
const fewRetries = { IBSR_EXPORT_MAX_RETRIES: "1" }

const runCase = async ({ prepare }: LastLinesCase): Promise<RunResult> => {
  const servers: Array<{ readonly stop: () => Promise<unknown> }> = []
  try {
    const { args, ...options } = await prepare((server) => {
      servers.push(server)
      return server
    })
    return await run(args, { ...options, env: { ...fewRetries, ...options.env } })
  } finally {
    for (const server of servers.toReversed()) await server.stop()
  }
}

const lastLines = (text: string, count: number) => text.trimEnd().split("\n").slice(-count).join("\n")

describe.concurrent.each(Object.entries(tables))("after %s, the last lines", (_, cases) => {
  for (const each of cases) {
    it.skipIf(each.isPossible === false)(`name the cause and the remedy when ${each.when}`, async () => {
      const result = await runCase(each)
      const all = result.stdout + result.stderr
      expect(result.code, all).toBe(each.exit)
      // checks both streams together, as cron mails them, and stderr alone, as a script may keep it
      for (const text of [lastLines(all, 2), lastLines(result.stderr, 1)]) {
        expect(text).toMatch(each.cause)
        expect(text).toMatch(each.remedy)
      }
    })
  }
})
