import { Context, type Effect } from "effect"
import type { StateUnusable } from "../domain/Errors.ts"
import type { Status } from "../report/Status.ts"

/** What the ledger says, also while a run is at work with it. */
export class LedgerStatus extends Context.Tag("ibsr-export/LedgerStatus")<
  LedgerStatus,
  {
    /** Reads it, and changes nothing. Fails if there is none. */
    readonly read: Effect.Effect<Status, StateUnusable>
  }
>() {}
