import { extname } from 'node:path';
import { configDefaults, defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { scaledTimeoutMs } from './test/support/environment.ts';
import { LongestFirst } from './test/support/longest-first.ts';
import { TAGS } from './test/support/tags.ts';

/** Compiled for a guest (scripts/test/compiled.mjs), this file names compiled files. */
const isForGuest = extname(import.meta.url) === '.js';
const own = (path: string): string => path.replace('.ts', extname(import.meta.url));

/**
 * Suites that leave nothing behind in their process, which all of their files share. Three of the
 * simulator's import other suites, and these declare their tests when they are read first.
 */
const sharing = [
  ...['cli/**/*', 'core/**/*', 'differential/**/*', 'facade/**/*', 'input/**/*', 'procfs/**/*'],
  ...['services/**/*', 'simulator/**/!(darwin|facade|win32)', 'style/**/*'],
].map((path) => own(`test/${path}.test.ts`));

const projects: TestProjectConfiguration[] = [
  {
    extends: true,
    test: { name: 'shared', include: sharing, isolate: false },
  },
  {
    // A thread's policy outlives a test, and so may what a test does to its process.
    extends: true,
    test: {
      name: 'alone',
      include: [own('test/**/*.test.ts')],
      exclude: [...configDefaults.exclude, ...sharing],
    },
  },
];

export default defineConfig({
  test: {
    globalSetup: [own('./test/support/global-setup.ts')],
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    // A tag that is not there is an error.
    tags: [...TAGS],
    strictTags: true,
    testTimeout: scaledTimeoutMs(20_000),
    hookTimeout: scaledTimeoutMs(30_000),
    teardownTimeout: scaledTimeoutMs(10_000),
    reporters: ['default', own('./test/support/summary-reporter.ts')],
    maxWorkers: Number(process.env['NODE_NUMA_TEST_WORKERS'] ?? 1),
    // A guest is one environment for all files, and starting processes is slow there.
    ...(isForGuest ? { include: [own('test/**/*.test.ts')], isolate: false } : { projects }),
  },
});
