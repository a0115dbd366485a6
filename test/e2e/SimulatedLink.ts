import type { TestContext } from "vitest"
import { StrictS3, type StrictS3Options } from "../fakes/StrictS3.ts"
import { type Conditions, Network } from "../fixtures/network/Network.ts"
import { type RunningProgram, start } from "./BuiltProgram.ts"
import { stopStore } from "./Store.ts"

export interface SimulatedLink {
  readonly network: Network
  readonly store: StrictS3
  /** Starts the program where the link is its only network. */
  readonly start: (args: ReadonlyArray<string>) => RunningProgram
}

/** A strict server at the far end of a link, for one test, also beside others; after it, nothing of it runs. */
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
    start: (args) => {
      const running = start(args, { through: network.commandPrefix })
      onTestFinished(() => void running.child.kill("SIGKILL"))
      return running
    }
  }
}
