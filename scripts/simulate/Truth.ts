/** What really happened to each file: how much of it was written, seen by a run, stored, and acknowledged. */
import { Duration } from "effect"
import type { Settings } from "../../src/domain/Settings.ts"
import * as Snapshot from "../../src/domain/Snapshot.ts"
import type { Collector, FileVersion } from "./Collector.ts"
import { check, Violation } from "./Violation.ts"

/** The history of one version of a file. Lengths are in bytes; 0 means nothing. */
export interface Fate {
  readonly version: FileVersion
  /** The length of the longest beginning of the file that an object holds now. */
  stored: number
  /** The length of the longest beginning that the store has ever acknowledged. */
  acknowledged: number
  /** The length of the complete lines that a run found in the file and could record. */
  seen: number
  /** Whether a report or the ledger says that the file is lost. */
  isLost: boolean
  /** Whether a report or the ledger says that the file was deleted after every line that a run saw had been stored. */
  isEndUnseen: boolean
}

export class Truth {
  readonly fates: Array<Fate> = []
  readonly #byName = new Map<string, Array<Fate>>()
  readonly #objects = new Map<string, HeldObject>()
  readonly #keys = new Map<string, Set<string>>()
  readonly #collector: Collector
  readonly #settings: Pick<Settings, "finalAfter" | "onReplace">
  /**
   * The first broken promise about an object. It is recorded here, because the program would handle an exception of the
   * store.
   */
  violation: Violation | undefined

  constructor(collector: Collector, settings: Pick<Settings, "finalAfter" | "onReplace">) {
    this.#collector = collector
    this.#settings = settings
  }

  /** Adds the files that the collector has created since the last call. */
  update(): void {
    for (const version of this.#collector.versions.slice(this.fates.length)) {
      const fate: Fate = { version, stored: 0, acknowledged: 0, seen: 0, isLost: false, isEndUnseen: false }
      this.fates.push(fate)
      this.#byName.set(version.name, [...this.of(version.name), fate])
    }
  }

  /** All versions of a file, oldest first. */
  of(name: string): ReadonlyArray<Fate> {
    return this.#byName.get(name) ?? []
  }

  /** Returns a value for each file version that exists. */
  present<A>(valueOf: (fate: Fate) => A): ReadonlyMap<Fate, A> {
    return new Map(this.fates.filter(({ version }) => version.exists).map((fate) => [fate, valueOf(fate)]))
  }

  /** Records what a report or the ledger says about a deleted file. */
  mark(name: string, as: "isLost" | "isEndUnseen"): void {
    for (const fate of this.of(name)) fate[as] ||= !fate.version.exists
  }

  /**
   * Records that the store has a new object. `latestWall`: the latest time that the host's clock has shown during the
   * run.
   */
  onStored(key: string, text: string, state: Snapshot.State, latestWall: number): void {
    this.update()
    const name = nameOf(key)
    const { latestGood = "" } = this.#objects.get(key) ?? {}
    try {
      const isFound = this.of(name).some(({ version }) => version.text.startsWith(text))
      check(isFound, () => `${key} is not the beginning of any content of its file`)
      check(state === "final" || text === "" || text.endsWith("\n"), () => `${key} is live, but ends in a torn line`)
      const hour = Snapshot.hourOf(name)
      const finalAt = hour === undefined ? 0 : hour.end + Duration.toMillis(this.#settings.finalAfter)
      check(state === "live" || finalAt <= latestWall, () => `${key} is marked final within its hour`)
      check(
        this.#settings.onReplace === "overwrite" || text.startsWith(latestGood),
        () => `${key} held ${latestGood.length} bytes, with which its new ${text.length} bytes do not begin`
      )
    } catch (violation) {
      if (!(violation instanceof Violation)) throw violation
      this.violation ??= violation
    }
    this.#hold(key, { text, latestGood: text })
  }

  /** Records that the store has corrupted an object. */
  onSpoilt(key: string): void {
    this.update()
    this.#hold(key, { text: undefined, latestGood: this.#objects.get(key)?.latestGood ?? "" })
  }

  /** Whether the store has corrupted the latest version of the object. */
  isSpoilt(key: string): boolean {
    const object = this.#objects.get(key)
    return object !== undefined && object.text === undefined
  }

  /** Records that the store has acknowledged the object to a run that could still write to its ledger. */
  onAcknowledged(key: string): void {
    const { latestGood } = this.#objects.get(key)!
    for (const fate of this.of(nameOf(key)))
      if (fate.version.text.startsWith(latestGood)) fate.acknowledged = Math.max(fate.acknowledged, latestGood.length)
  }

  #hold(key: string, object: HeldObject): void {
    const name = nameOf(key)
    this.#objects.set(key, object)
    const keys = this.#keys.get(name) ?? new Set()
    this.#keys.set(name, keys.add(key))
    for (const fate of this.of(name)) {
      const texts = [...keys].map((each) => this.#objects.get(each)?.text)
      const lengths = texts.map((text) => (text !== undefined && fate.version.text.startsWith(text) ? text.length : 0))
      fate.stored = Math.max(...lengths)
    }
  }
}

interface HeldObject {
  /** Undefined if the store has corrupted the object. */
  readonly text: string | undefined
  /** The content before the store corrupted it. */
  readonly latestGood: string
}

/** Returns the path of an object's file: the key without the prefix and the generation. */
export const nameOf = (key: string): string => key.slice("p/".length).replace(/\.g\d+(?=\.jsonl$)/, "")
