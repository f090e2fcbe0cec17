import { extname } from 'node:path';
import { defineConfig } from 'vitest/config';
import { scaledTimeoutMs } from './test/support/environment.ts';

/** Compiled for a guest (scripts/test/compiled.mjs), this file names compiled files. */
const own = (path: string): string => path.replace('.ts', extname(import.meta.url));

export default defineConfig({
  test: {
    include: [own('test/**/*.test.ts')],
    globalSetup: [own('./test/support/global-setup.ts')],
    // A thread's policy outlives a test: one process for each file, one file at a time.
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: scaledTimeoutMs(20_000),
    hookTimeout: scaledTimeoutMs(30_000),
    teardownTimeout: scaledTimeoutMs(10_000),
    reporters: ['default', own('./test/support/summary-reporter.ts')],
  },
});
