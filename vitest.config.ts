import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: [
      "test/fixtures/real-servers.ts",
      "test/fixtures/network.ts",
      "test/fixtures/node-exporter.ts",
      "test/fixtures/actionlint.ts",
      "test/fixtures/systemd.ts",
      "test/fixtures/chroots.ts"
    ],
    // ends the output with one plain line that scripts can parse
    reporters: ["default", "test/fixtures/summary.ts"],
    // most tests wait for something; the default, one worker fewer than cores, is too few on a machine with two cores
    maxWorkers: 2,
    minWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
