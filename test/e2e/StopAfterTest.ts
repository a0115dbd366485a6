import { afterEach } from "vitest"

interface Stoppable {
  readonly stop: () => Promise<unknown>
}

const running: Array<Stoppable> = []

/** Stops a server after the current test. */
export const stopAfterTest = <A extends Stoppable>(server: A): A => {
  running.push(server)
  return server
}

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})
