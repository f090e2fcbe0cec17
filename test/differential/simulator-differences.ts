/**
 * What the simulator does otherwise than a kernel, as far as programs can show it: each with the
 * part of the kernel that it leaves out.
 */

import type { KernelLine } from '../../lib/core/kernels.ts';
import { type Difference, differencesOf } from './compare.ts';
import type { Outcome } from './outcome.ts';
import type { Program } from './program.ts';

interface SimulatorDifference {
  readonly name: string;
  /** The first line that has shown it. */
  readonly since: KernelLine;
  readonly source: string;
  explains(program: Program, difference: Difference): boolean;
}

export const SIMULATOR_DIFFERENCES: readonly SimulatorDifference[] = [
  {
    // A page that another process has just let go of, from a locked mapping, is still referenced
    // by a CPU's batch: whoever writes to it gets a copy, though it is his alone.
    name: 'unlocked-page-in-batch',
    since: '6.12',
    source: 'mm/mlock.c, munlock_folio(); mm/memory.c, wp_can_reuse_anon_folio()',
    explains: (program, { index, step, fields }) => {
      if (step?.call !== 'touch' || step.access !== 'write') return false;
      if (!fields.every((name) => name === 'pages' || name === 'watched')) return false;
      const before = program.steps.slice(0, index);
      const end = step.page + step.pages;
      const locks = before.some(
        (one) => one.call === 'mlock' && one.page < end && one.page + one.pages > step.page,
      );
      return locks && before.some(({ call }) => call === 'fork');
    },
  },
];

/** The name of a known difference, or the first that nothing explains; undefined for none. */
export function compareWithKernel(
  program: Program,
  kernel: Outcome,
  simulated: Outcome,
): { readonly known: string } | { readonly first: Difference } | undefined {
  const [first] = differencesOf(program, kernel, simulated);
  if (first === undefined) return undefined;
  const cause = SIMULATOR_DIFFERENCES.find(({ explains }) => explains(program, first));
  return cause === undefined ? { first } : { known: cause.name };
}
