import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['test/mutations/**/*.test.ts'], testTimeout: 600_000, maxConcurrency: 2 },
})
