#!/usr/bin/env node
/** The process: arguments, environment and signals in, exit code out. */
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import process from "node:process"
import { isSea } from "node:sea"
import { run } from "./cli/Cli.ts"
import { exit } from "./process/Exit.ts"
import * as Node from "./process/Node.ts"
import * as Output from "./process/Output.ts"
import * as Signals from "./process/Signals.ts"
import { supervise } from "./process/Supervisor.ts"
import { Stdio } from "./services/Stdio.ts"
import { Stop } from "./services/Stop.ts"

const { arch, argv, env, execPath, platform, versions } = process
const { complain, stdio, terminal } = Output.open(env)
Node.prepare(complain, stdio.stderr)
const { runEnded, stop } = Signals.listen(stdio.stderr)

const program = run({
  args: argv.slice(2),
  env,
  executable: isSea() ? execPath : undefined,
  node: { node: versions.node, platform, arch },
  supervise,
  runId: env["INVOCATION_ID"] || randomUUID(),
  terminal
}).pipe(Effect.provideService(Stop, stop), Effect.provideService(Stdio, stdio))

void Effect.runPromise(program).then(async (code) => {
  await Output.drain(runEnded())
  exit(code)
})
