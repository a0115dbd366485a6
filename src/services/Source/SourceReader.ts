/**
 * Opens a file once, takes its size from the descriptor, and reads exactly those bytes. For a live line-based file, it
 * reads only complete lines.
 */
import { Clock, Data, Effect, type Scope } from "effect"
import { type BigIntStats, closeSync, promises as fs } from "node:fs"
import { type ConfigError, SourceUnreadable } from "../../domain/Errors.ts"
import * as Size from "../../domain/Size.ts"
import * as Snapshot from "../../domain/Snapshot.ts"
import type { SourceFile } from "../../domain/SourceFile.ts"
import * as UploadPlan from "../../domain/UploadPlan.ts"
import * as Descriptors from "../Descriptors.ts"
import { codeOf } from "../SystemError.ts"
import * as Containment from "./Containment.ts"
import * as FileStat from "./FileStat.ts"
import * as OpenFile from "./OpenFile.ts"
import * as SmallFile from "./SmallFile.ts"

/** The file was rotated away before it could be opened. */
export class Vanished extends Data.TaggedError("Vanished") {}
/** The entry is not a regular file. */
export class NotRegular extends Data.TaggedError("NotRegular")<{ readonly why: "symlink" | "special" }> {}

/** The file is live, consists of lines, and has no complete line yet. */
export class NotReady extends Data.TaggedError("NotReady") {}

export interface OpenSource extends FileStat.SourceInfo {
  readonly path: string
  /** The whole content. */
  readonly bytes: Effect.Effect<Uint8Array, SourceUnreadable>
  /**
   * The whole content, or the first `firstBytes` of the file, in pieces of at most `pieceBytes`. Throws
   * `SourceUnreadable`.
   */
  readonly pieces: (firstBytes?: number) => AsyncIterable<Uint8Array>
  /** Fills the buffer with the bytes from `position` on. Fails if the file was truncated. */
  readonly readInto: (buffer: Uint8Array, position: number) => Effect.Effect<void, SourceUnreadable>
  /** Fails if the file was truncated since it was opened. `head`: the first bytes read; `last`: the last byte read. */
  readonly checkUndisturbed: (head: Uint8Array, last: number | undefined) => Effect.Effect<void, SourceUnreadable>
}

/** How long, in milliseconds, a file system counts as responsive after it has responded. */
const responsiveMillis = 100

export type SourceReader = ReturnType<typeof make>

/**
 * Opens files, each for as long as it is used. An open file can be read to its end even if it is unlinked meanwhile.
 *
 * Small local files are opened and read synchronously. Their disk may hang, so a first `lstat` runs in the thread pool:
 * meanwhile, the program can react to a signal or the deadline. Remote files are only accessed in the thread pool.
 */
export const make = (options: FileStat.Options) => {
  const contain = Containment.make(options)
  const openFiles = Effect.unsafeMakeSemaphore(Descriptors.share(Descriptors.limit()))
  let respondedAt = Number.NEGATIVE_INFINITY

  const untilResponsive = ({ isRemote, path }: SourceFile) =>
    Effect.suspend(() => {
      if (isRemote || performance.now() - respondedAt < responsiveMillis) return Effect.void
      return Effect.promise(async () => {
        await fs.lstat(path).catch(() => undefined)
        respondedAt = performance.now()
      })
    })

  return {
    contain,
    /** Waits until the file system of this file responds, unless it is remote. */
    untilResponsive,
    use: <A, E, R>(
      file: SourceFile,
      work: (source: OpenSource) => Effect.Effect<A, E, R>
    ): Effect.Effect<A, E | OpenError, R> =>
      Effect.zipRight(
        untilResponsive(file),
        Effect.acquireUseRelease(
          Effect.try({
            try: () => (file.isRemote ? undefined : SmallFile.open(file, options, contain)),
            catch: openError(file, options)
          }),
          (opened) =>
            opened === undefined
              ? Effect.scoped(Effect.flatMap(open(file, options, contain), work))
              : Effect.flatMap(sourceOf(file, OpenFile.immediate(opened.fd), opened.stat, options), work),
          (opened) => Effect.sync(() => opened && closeSync(opened.fd))
        )
      ).pipe(openFiles.withPermits(1))
  }
}

const openError =
  ({ path }: SourceFile, { followSymlinks }: FileStat.Options) =>
  (cause: unknown): OpenError => {
    const code = codeOf(cause)
    if (code === "ENOENT" || code === "ENOTDIR") return new Vanished()
    if (code === "ELOOP" && !followSymlinks) return new NotRegular({ why: "symlink" })
    if (Descriptors.isExhausted(cause)) return Descriptors.noneFree(cause)
    // the path is a socket, or a device without a driver
    return code === "ENXIO" ? new NotRegular({ why: "special" }) : OpenFile.unreadable(path)(cause)
  }

/** Opens a file of any size until the scope closes. */
export const open = (
  file: SourceFile,
  options: FileStat.Options,
  contain: Containment.Containment
): Effect.Effect<OpenSource, OpenError, Scope.Scope> =>
  Effect.gen(function* () {
    const flags = FileStat.flagsFor(options)
    const handle = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () => Descriptors.patiently(() => fs.open(file.path, flags)),
        catch: openError(file, options)
      }),
      (opened) => Effect.ignore(Effect.tryPromise(() => opened.close()))
    )
    yield* Effect.try({ try: () => contain(handle.fd, file), catch: openError(file, options) })
    const stat = yield* reading(file, () => handle.stat({ bigint: true }))
    return yield* sourceOf(file, handle, stat, options)
  })

const reading = <A>({ path }: SourceFile, read: () => Promise<A>) =>
  Effect.tryPromise({ try: read, catch: OpenFile.unreadable(path) })

const sourceOf = (
  file: SourceFile,
  handle: OpenFile.Handle,
  stat: BigIntStats,
  options: FileStat.Options
): Effect.Effect<OpenSource, OpenError> =>
  Effect.gen(function* () {
    if (!stat.isFile()) return yield* new NotRegular({ why: "special" })
    const { path, relativePath } = file
    const now = yield* Clock.currentTimeMillis
    const fileBytes = Number(stat.size)
    if (fileBytes > UploadPlan.maxObjectBytes) return yield* tooLarge(path, fileBytes)
    const hasLines = Snapshot.hasLines(relativePath)
    const found = hasLines ? yield* reading(file, () => OpenFile.wholeLines(handle, fileBytes)) : undefined
    if (hasLines && found === undefined && FileStat.stateOf(file, stat, now, options) === "live")
      return yield* noLineBreak(path)
    const lineBytes = hasLines ? (found ?? 0) : undefined
    const info = FileStat.inspect(file, stat, lineBytes, now, options)
    if (info === undefined) return yield* new NotReady()
    const { sizeBytes } = info
    const view: OpenFile.View = { handle, path, stat, sizeBytes, wholeLines: lineBytes === sizeBytes }
    return {
      ...info,
      path,
      bytes: reading(file, () => OpenFile.readAll(view)),
      pieces: (firstBytes = sizeBytes) => OpenFile.pieces(view, Math.min(firstBytes, fileBytes)),
      readInto: (buffer, position) => reading(file, () => OpenFile.readInto(view, buffer, position)),
      checkUndisturbed: (head, last) => reading(file, () => OpenFile.checkUndisturbed(view, head, last))
    }
  })

const tooLarge = (path: string, sizeBytes: number) =>
  new SourceUnreadable({
    path,
    detail: `its size of ${Size.format(sizeBytes)} exceeds that of the largest object, ${Size.format(UploadPlan.maxObjectBytes)}`,
    code: "EFBIG",
    advice: "if it is sparse, delete it; otherwise --exclude it"
  })

const noLineBreak = (path: string) =>
  new SourceUnreadable({
    path,
    detail: `its last ${Size.format(OpenFile.maxLineBytes)} contain no line break, so it does not consist of lines`,
    code: "NO_LINE_BREAK",
    advice: "find out what writes it, or --exclude it; if it is sparse, a program truncated it to a larger size"
  })

export type OpenError = SourceUnreadable | ConfigError | Vanished | NotRegular | NotReady
