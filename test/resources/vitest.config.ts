import { defineConfig } from 'vitest/config'

// Real servers, each in namespaces of its own: slow, so apart from the unit tests.
export default defineConfig({
  test: {
    include: ['test/resources/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
})
