import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/lab/**', 'test/resources/**', 'test/soak/**', 'test/mutations/**', 'node_modules/**'],
    testTimeout: 30_000,
  },
})
