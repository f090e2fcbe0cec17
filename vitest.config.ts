import { extname } from 'node:path';
import { defineConfig } from 'vitest/config';
import { scaledTimeoutMs } from './test/support/environment.ts';

// Compiled for a guest (scripts/test/compiled.mjs), it names compiled files.
const kind = extname(import.meta.url);

export default defineConfig({
  test: {
    include: [`test/**/*.test${kind}`],
    globalSetup: [`./test/support/global-setup${kind}`],
    // A thread's policy outlives a test: one process for each file, one file at a time.
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: scaledTimeoutMs(20_000),
    hookTimeout: scaledTimeoutMs(30_000),
    teardownTimeout: scaledTimeoutMs(10_000),
    reporters: ['default', `./test/support/summary-reporter${kind}`],
  },
});
