/** What programs with objects show of the differences between kernels: known-differences.ts. */

import { ERRNO } from '../../lib/core/errno.ts';
import { MADV } from '../../lib/core/uapi.ts';
import type { Difference } from './compare.ts';
import type { KnownDifference } from './known-differences.ts';
import type { StepOutcome } from './outcome.ts';

/** Of the older kernel, and of the newer one. */
function errnosOf({ a, b }: Difference): readonly (number | undefined)[] {
  return [(a as StepOutcome).errno, (b as StepOutcome).errno];
}

export const OBJECT_DIFFERENCES: readonly KnownDifference[] = [
  {
    name: 'populated-behind-gap',
    fact: 'populatesUpToGap',
    parts: true,
    isOfObjects: true,
    explains: (_, { step }) =>
      step?.call === 'madvise' &&
      (step.advice === MADV.POPULATE_READ || step.advice === MADV.POPULATE_WRITE),
  },
  {
    name: 'pool-page-by-any-address',
    fact: 'hugePageMovesByAnyAddress',
    parts: true,
    isOfObjects: true,
    explains: (program, { step }) =>
      step?.call === 'movePages' &&
      program.objects?.some(({ kind }) => kind === 'hugetlb') === true,
  },
  {
    name: 'mremap-of-several',
    fact: 'mremapTakesSeveral',
    parts: true,
    isOfObjects: true,
    explains: (_, difference) => {
      const [older, newer] = errnosOf(difference);
      return difference.step?.call === 'mremap' && older === ERRNO.EFAULT && newer === 0;
    },
  },
  {
    name: 'overlap-of-nothing',
    fact: 'mremapLooksAtOverlapFirst',
    parts: false,
    isOfObjects: true,
    explains: (_, difference) => {
      const [older, newer] = errnosOf(difference);
      const isOverlap = older === ERRNO.EFAULT && newer === ERRNO.EINVAL;
      return difference.step?.call === 'mremap' && isOverlap;
    },
  },
];
