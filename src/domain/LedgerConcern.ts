/** A sign in the ledger that another job writes below the same prefix. */
import { Data } from "effect"

export type LedgerConcern = Data.TaggedEnum<{
  /** Another host wrote the ledger. `generation`: the first generation whose keys only this host uses. */
  OtherMachine: { readonly generation: number }
  /** The ledger may be an older copy that does not know the latest objects. `generation`: as above. */
  OlderCopy: { readonly generation: number }
  /** The last run uploaded another directory to the same prefix. */
  OtherInput: { readonly input: string }
  /** Another job of the ledger uploads to a prefix that contains this prefix or that this prefix contains. */
  OverlappingPrefix: { readonly prefix: string }
}>
export const LedgerConcern = Data.taggedEnum<LedgerConcern>()

const ownKeys = (generation: number) =>
  `files that are new or have changed get keys of their own (NAME.g${generation}.jsonl)`

/**
 * Returns sentences for the report. They describe the concern, how the program handles it, and what the operator should
 * do.
 */
export const sentence = (ledger: string): ((concern: LedgerConcern) => string) =>
  LedgerConcern.$match({
    OtherMachine: ({ generation }) =>
      `the ledger ${ledger} was written on another machine, which may still upload to this prefix: ${ownKeys(generation)}; give each machine a prefix of its own, such as --prefix ibsr/{machine-id}/snapshots; if this machine replaces the other one, delete the ledger, and everything is sent again under the usual keys`,
    OlderCopy: ({ generation }) =>
      `the ledger ${ledger} was copied or restored, so the bucket may hold content that it does not know: ${ownKeys(generation)} until a run has seen all files`,
    OtherInput: ({ input }) =>
      `the last run with this prefix uploaded ${input}, which still exists: give each input directory a prefix of its own`,
    OverlappingPrefix: ({ prefix }) =>
      `this prefix and ${prefix === "" ? "the bucket's root" : prefix}, which another job uploads to, lie in one another: a file whose key belongs to the other job gets a key of its own; give each job a prefix outside of the other's`
  })
