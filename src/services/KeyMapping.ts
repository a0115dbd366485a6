import { Context, Either, Layer } from "effect"
import { SourceUnreadable } from "../domain/Errors.ts"
import * as Generation from "../domain/Generation.ts"
import * as ObjectKey from "../domain/ObjectKey.ts"
import type { SourceFile } from "../domain/SourceFile.ts"

/** Which object a file becomes. */
export class KeyMapping extends Context.Tag("ibsr-export/KeyMapping")<
  KeyMapping,
  {
    /** The key of a generation of the file. Fails for a name that cannot be part of a key. */
    readonly keyOf: (file: SourceFile, generation: number) => Either.Either<ObjectKey.ObjectKey, SourceUnreadable>
  }
>() {
  /** `<prefix>/<path relative to the input>`. Two files of generation 1 never get the same. */
  static readonly layer = (prefix: ObjectKey.KeyPrefix) =>
    Layer.succeed(KeyMapping, {
      keyOf: (file, generation) =>
        Either.mapLeft(
          ObjectKey.of(prefix, Generation.named(file.relativePath, generation)),
          (detail) => new SourceUnreadable({ path: file.path, detail, advice: "rename it, or --exclude it" })
        )
    })
}
