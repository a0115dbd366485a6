import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: [
      "test/fixtures/real-servers.ts",
      "test/fixtures/network.ts",
      "test/fixtures/node-exporter.ts",
      "test/fixtures/systemd.ts",
      "test/fixtures/chroots.ts"
    ],
    // the closing line in the plain form that any log reader understands
    reporters: ["default", "test/fixtures/summary.ts"],
    // most of them wait for something; one fewer than there are cores is not enough for a machine of two
    maxWorkers: 2,
    minWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
