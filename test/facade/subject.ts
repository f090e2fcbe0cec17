/**
 * What the tests of the facade run on: this host's kernel, or a simulated machine where
 * test/simulator has asked for one before it loads them.
 */

import type * as Native from './native-subject.ts';

/** Set by test/simulator/facade-tests.ts. */
const SUBJECT_VARIABLE = 'NODE_NUMA_TEST_SUBJECT';

const subject: typeof Native =
  process.env[SUBJECT_VARIABLE] === 'simulator'
    ? await import('../simulator/simulated-subject.ts')
    : await import('./native-subject.ts');

export const {
  balanceNow,
  chooseHugePages,
  fillPools,
  hasBalancing,
  hasOtherThreads,
  hugeBytesOf,
  isExpendable,
  isPrivileged,
  numa,
  openBackend,
  pinMemory,
  policyInNumaMaps,
  usesHugePages,
} = subject;
