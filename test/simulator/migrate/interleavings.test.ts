/**
 * Random interleavings of accesses, moves, pins, unmaps, forks and cpuset changes: after each step
 * every page is on one node and on one list, at the end no migration entry is left, no write is
 * lost, and all memory is free again.
 */

import { describe, expect, test } from 'vitest';
import { kernelLines } from '../../../lib/simulator/public.ts';
import { seedsOf } from '../../support/share.ts';
import { interleave } from './interleaving.ts';

/** `npm run interleavings` runs as many as one likes. */
const SEEDS = 120;
const TIMEOUT_MS = 120_000;
const EVENTS_PER_SEED_MIN = 50;

describe('random interleavings', () => {
  for (const kernel of kernelLines) {
    test(
      `keep what must hold, Linux ${kernel}`,
      (context) => {
        let eventCount = 0;
        const seeds = seedsOf(context, SEEDS);
        for (const seed of seeds) {
          const result = interleave(seed, kernel);
          eventCount += result.eventCount;
          expect(result.failures, `seed ${seed}`).toEqual([]);
        }
        expect(eventCount).toBeGreaterThan(seeds.length * EVENTS_PER_SEED_MIN);
      },
      TIMEOUT_MS,
    );
  }
});
