/**
 * How many of its random programs a suite runs: a share, or all of them where
 * `npm run test:long` asks for it (NODE_NUMA_TESTS=all). The run's end says how many it was.
 */

import type { TestContext } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** Of random programs, seeds and the like. */
    share?: { readonly ran: number; readonly all: number };
  }
}

const SHARE = 4;

const isWhole = process.env['NODE_NUMA_TESTS'] === 'all';

/** So many of these the test runs. */
export function shareOf({ task }: Pick<TestContext, 'task'>, all: number): number {
  const ran = isWhole ? all : Math.ceil(all / SHARE);
  task.meta.share = { ran, all };
  return ran;
}

/** The seeds that the test runs, from 1 on. */
export function seedsOf(context: Pick<TestContext, 'task'>, all: number): number[] {
  return Array.from({ length: shareOf(context, all) }, (_, index) => index + 1);
}

/** Of every so many possibilities one is tried, each in turn. */
export function strideOf(share: number): number {
  return isWhole ? 1 : share;
}
