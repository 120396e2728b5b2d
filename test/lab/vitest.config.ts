import { defineConfig } from 'vitest/config'

// Real daemons on real clocks: each file has its own lab, and no more than two files share the machine.
export default defineConfig({
  test: {
    include: ['test/lab/**/*.test.ts'],
    globalSetup: 'test/lab/build.ts',
    pool: 'forks',
    maxWorkers: Number(process.env['HACTL_LAB_WORKERS'] ?? 2),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
  },
})
