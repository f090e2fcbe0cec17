/** Who touches memory, and what comes of it. */

import type { InterleaveCounter } from '../policy/interleave.ts';
import type { Mempolicy } from '../policy/mempolicy.ts';
import type { Allocator } from '../policy/placement.ts';
import type { Mm } from './mm.ts';
import type { Vma } from './vma.ts';

/** A thread, as far as placement knows it. */
export interface Toucher extends Allocator {
  readonly mm: Mm;
  /** The thread's policy. */
  readonly policy: Mempolicy | null;
  readonly counter: InterleaveCounter;
  /** Takes the mark off a page that balancing has marked, and may move it. */
  hintFault(vma: Vma, page: number): void;
}

/** `fault`: SIGSEGV or SIGBUS. `killed`: no memory that the policy allows, SIGKILL. */
export type FaultOutcome = 'done' | 'fault' | 'killed';
