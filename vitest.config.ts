import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    // Vitest keeps a core for itself, which is half of a machine with two.
    maxWorkers: availableParallelism() + 1,
    setupFiles: ['test/support/matchers.ts'],
  },
});
