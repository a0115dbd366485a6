import { Duration } from "effect"
import { describe, expect, it } from "vitest"
import { Collector } from "../../scripts/simulate/Collector.ts"
import { seeded } from "../../scripts/simulate/Random.ts"
import { Truth } from "../../scripts/simulate/Truth.ts"
import { emptyDirectory } from "../fixtures/Tree.ts"

const start = Date.UTC(2026, 10, 22)
const hour = 3_600_000

/** Makes a `Truth` that has the first snapshot of a collector with at least three lines. */
const observe = () => {
  const collector = new Collector(emptyDirectory(), seeded(1), start)
  for (let tick = 0; tick < 5; tick++) collector.tick()
  const truth = new Truth(collector, { finalAfter: Duration.minutes(2), onReplace: "new-key" })
  truth.update()
  const { name, text } = truth.fates[0]!.version
  const line = text.indexOf("\n") + 1
  return { truth, key: `p/${name}`, text: text.slice(0, text.lastIndexOf("\n") + 1), line }
}

describe("Truth", () => {
  it("accepts an object that grows by whole lines and becomes final after its hour", () => {
    const { key, line, text, truth } = observe()
    truth.onStored(key, text.slice(0, line), "live", start + hour / 2)
    truth.onStored(key, text, "live", start + hour / 2)
    truth.onStored(key, text, "final", start + hour + Duration.toMillis("2 minutes"))
    expect(truth.violation).toBeUndefined()
    expect(truth.fates[0]!.stored).toBe(text.length)
  })

  it.each<
    readonly [what: string, objects: (text: string, line: number) => ReadonlyArray<string>, state: "live" | "final"]
  >([
    ["a torn live object", (text, line) => [text.slice(0, line - 1)], "live"],
    ["an object that was final within its hour", (text) => [text], "final"],
    ["an object that became shorter", (text, line) => [text, text.slice(0, line)], "live"],
    ["an object with other content", (text) => [text.replace("version", "VERSION")], "live"]
  ])("refuses %s", (_, objects, state) => {
    const { key, line, text, truth } = observe()
    for (const object of objects(text, line)) truth.onStored(key, object, state, start + hour / 2)
    expect(truth.violation).toBeDefined()
  })

  it("counts nothing as stored once the store has corrupted the object", () => {
    const { key, text, truth } = observe()
    truth.onStored(key, text, "live", start + hour / 2)
    truth.onSpoilt(key)
    expect(truth.fates[0]!.stored).toBe(0)
  })
})
