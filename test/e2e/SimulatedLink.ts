import type { TestContext } from "vitest"
import { StrictS3, type StrictS3Options } from "../../scripts/strict-s3/StrictS3.ts"
import { type Conditions, Network } from "../fixtures/network/Network.ts"
import { type RunningProgram, type RunOptions, start } from "./BuiltProgram.ts"
import { stopStore } from "./Store.ts"

export interface SimulatedLink {
  readonly network: Network
  readonly store: StrictS3
  /** Starts the program with the link as its only network. */
  readonly start: (args: ReadonlyArray<string>, options?: Pick<RunOptions, "preload">) => RunningProgram
}

/** Starts a strict store at the far end of a link, and stops both after the test. Tests may run concurrently. */
export const startLink = async (
  { onTestFinished }: TestContext,
  conditions: Partial<Conditions>,
  options: StrictS3Options = {}
): Promise<SimulatedLink> => {
  const network = await Network.open()
  onTestFinished(() => network.close())
  const store = await StrictS3.start({ ...options, listener: await network.listen() })
  onTestFinished(() => stopStore(store))
  await network.set(conditions)
  return {
    network,
    store,
    start: (args, how) => {
      const running = start(args, { ...how, commandPrefix: network.commandPrefix })
      onTestFinished(() => void running.child.kill("SIGKILL"))
      return running
    }
  }
}
