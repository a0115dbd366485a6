import { expect, it } from "vitest"
import { areaOf } from "../../scripts/bench/Areas.ts"

it.each([
  ["../src/services/Export.ts", "ours: services"],
  ["../src/services/ObjectStore/S3/Store.ts", "ours: services/ObjectStore"],
  ["../src/services/Ledger/FilesTable.ts", "ours: services/Ledger"],
  ["../src/domain/Outcome.ts", "ours: domain"],
  ["../node_modules/effect/dist/esm/Effect.js", "effect"],
  ["../node_modules/@effect/platform/dist/esm/Terminal.js", "effect"],
  ["../node_modules/@smithy/core/dist-es/index.js", "AWS SDK"],
  ["../node_modules/@aws-sdk/client-s3/dist-es/S3.js", "AWS SDK"],
  ["../node_modules/picomatch/lib/scan.js", "picomatch"],
  ["node:_http_client", "node: http"],
  ["node:internal/tls/wrap", "node: tls"],
  ["node:internal/streams/writable", "node: streams and events"],
  ["node:internal/stream_base_commons", "node: net"],
  ["node:internal/crypto/hash", "node: crypto"],
  ["node:internal/fs/promises", "node: fs"],
  ["node:internal/process/task_queues", "node: timers, ticks"],
  ["node:internal/modules/cjs/loader", "node: start"],
  ["node:diagnostics_channel", "node: other"],
  ["bundler", "other"]
])("attributes %s to '%s'", (file, area) => {
  expect(areaOf(file)).toBe(area)
})
