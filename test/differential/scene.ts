/** What the generator goes by while it makes a program. */

import type { ObjectSpec } from './program.ts';
import type { Random } from './random.ts';

/** What a run may leave out, so that a known difference does not hide others behind it. */
export const FEATURES = ['weighted-interleave', 'prot-none', 'balancing', 'high-region'] as const;
export type Feature = (typeof FEATURES)[number];

/** A process of the program, as far as its steps tell. */
export interface ProcessState {
  readonly id: number;
  readonly parent: number | undefined;
  readonly mapped: Set<number>;
  /** Places for huge pages that are mapped, as far as is known. */
  readonly huge: Set<number>;
  /** References of pipes that it has a descriptor of. */
  readonly pins: Set<number>;
  /** Rings with registered buffers. */
  readonly rings: Set<number>;
}

/** What the generator knows of the program so far. */
export interface Scene {
  readonly random: Random;
  readonly without: ReadonlySet<Feature>;
  readonly modes: readonly number[];
  readonly processes: ProcessState[];
  processCount: number;
  /** Of pipes and rings together. */
  pinCount: number;
  /** 0 in a program without groups. */
  groupCount: number;
  readonly objects: readonly ObjectSpec[];
  /** How often a call is about the pages of another process. */
  othersShare: number;
}
