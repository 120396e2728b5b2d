import { defineConfig } from 'vitest/config'

// Hosts with a real systemd, on real clocks: one file, one pair at a time.
export default defineConfig({
  test: {
    include: ['test/soak/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 180_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
  },
})
