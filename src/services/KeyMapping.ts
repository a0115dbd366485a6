import { Context, Either, Layer } from "effect"
import * as Compression from "../domain/Compression.ts"
import { SourceUnreadable } from "../domain/Errors.ts"
import * as Generation from "../domain/Generation.ts"
import * as ManifestDirectory from "../domain/ManifestDirectory.ts"
import * as ObjectKey from "../domain/ObjectKey.ts"
import type { Settings } from "../domain/Settings.ts"
import type { SourceFile } from "../domain/SourceFile.ts"

/** Maps a file to the key and the compression of its object. */
export class KeyMapping extends Context.Tag("ibsr-export/KeyMapping")<
  KeyMapping,
  {
    readonly compressionOf: (file: SourceFile) => Compression.Mode
    /** The key of a generation of the file. Fails for a name that cannot be part of a key. */
    readonly keyOf: (file: SourceFile, generation: number) => Either.Either<ObjectKey.ObjectKey, SourceUnreadable>
  }
>() {
  /**
   * The key is `<prefix>/<path relative to the input>`, plus the suffix of a compressed object. In generation 1, two
   * files have the same key only if one is named like the other's compressed object. The ledger then gives one of them
   * another generation.
   */
  static readonly layer = ({ compress, manifest, prefix }: Pick<Settings, "compress" | "manifest" | "prefix">) => {
    const compressionOf = ({ relativePath }: SourceFile) => Compression.of(compress, relativePath)
    return Layer.succeed(KeyMapping, {
      compressionOf,
      keyOf: (file, generation) =>
        Either.mapLeft(
          manifest && ManifestDirectory.isManifest(file.relativePath)
            ? isTaken
            : ObjectKey.of(
                prefix,
                Generation.named(file.relativePath, generation) + Compression.keySuffixes[compressionOf(file)]
              ),
          (detail) => new SourceUnreadable({ path: file.path, detail, advice: "rename it, or --exclude it" })
        )
    })
  }
}

const isTaken = Either.left("--manifest stores the directory's manifest under its key")
