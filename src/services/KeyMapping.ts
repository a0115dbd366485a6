import { Context, Either, Layer } from "effect"
import { SourceUnreadable } from "../domain/Errors.ts"
import * as ObjectKey from "../domain/ObjectKey.ts"
import type { SourceFile } from "../domain/SourceFile.ts"

/** Which object a file becomes. */
export class KeyMapping extends Context.Tag("ibsr-export/KeyMapping")<
  KeyMapping,
  {
    /** The file's key. Two files never get the same. Fails for a name that cannot be part of a key. */
    readonly keyOf: (file: SourceFile) => Either.Either<ObjectKey.ObjectKey, SourceUnreadable>
  }
>() {
  /** `<prefix>/<path relative to the input>`. */
  static readonly layer = (prefix: ObjectKey.KeyPrefix) =>
    Layer.succeed(KeyMapping, {
      keyOf: (file) =>
        Either.mapLeft(
          ObjectKey.of(prefix, file.relativePath),
          (detail) => new SourceUnreadable({ path: file.path, detail, advice: "rename it, or --exclude it" })
        )
    })
}
