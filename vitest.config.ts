import { defineConfig } from 'vitest/config';
import { scaledTimeoutMs } from './test/support/environment.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // A thread's policy outlives a test: one process for each file, one file at a time.
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: scaledTimeoutMs(20_000),
    hookTimeout: scaledTimeoutMs(30_000),
    teardownTimeout: scaledTimeoutMs(10_000),
    reporters: ['default', 'test/support/summary-reporter.ts'],
  },
});
