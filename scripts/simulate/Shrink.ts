/** Makes a failing week smaller: the result ends with the failure, and has only the faults that are needed for it. */
import type { Fault, Scenario } from "./Scenario.ts"
import { Violation } from "./Violation.ts"
import { simulate } from "./Week.ts"

export interface Smallest {
  readonly violation: Violation
  readonly hours: number
  readonly faults: ReadonlyArray<Fault>
}

const violationOf = async (scenario: Scenario, root: string): Promise<Violation | undefined> => {
  try {
    await simulate(scenario, root)
    return undefined
  } catch (cause) {
    if (cause instanceof Violation) return cause
    throw cause
  }
}

/** `first` is the violation of the scenario. A smaller week may fail differently. */
export const shrink = async (scenario: Scenario, first: Violation, root: string): Promise<Smallest> => {
  let violation = first
  // the violation may occur in one of the two runs after the last hour
  let smallest: Scenario = { ...scenario, hours: Math.min(scenario.hours, first.hour) }
  for (const fault of scenario.faults) {
    const others = new Set([...smallest.faults].filter((each) => each !== fault))
    const smaller = { ...smallest, faults: others }
    const found = await violationOf(smaller, root)
    if (found === undefined) continue
    violation = found
    smallest = { ...smaller, hours: Math.min(smaller.hours, found.hour) }
  }
  return { violation, hours: smallest.hours, faults: [...smallest.faults] }
}
