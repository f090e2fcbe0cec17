/**
 * Random interleavings of accesses, moves, pins, unmaps, forks and cpuset changes: after each step
 * every page is on one node and on one list, at the end no migration entry is left, no write is
 * lost, and all memory is free again.
 */

import { describe, expect, test } from 'vitest';
import { kernelLines } from '../../../lib/simulator/public.ts';
import { interleave } from './interleaving.ts';

/** `npm run interleavings` runs as many as one likes. */
const SEEDS = 120;
const TIMEOUT_MS = 120_000;
const EVENTS_PER_SEED_MIN = 50;

describe('random interleavings', () => {
  for (const kernel of kernelLines) {
    test(
      `${SEEDS} seeds, Linux ${kernel}`,
      () => {
        let eventCount = 0;
        for (let seed = 1; seed <= SEEDS; seed += 1) {
          const result = interleave(seed, kernel);
          eventCount += result.eventCount;
          expect(result.failures, `seed ${seed}`).toEqual([]);
        }
        expect(eventCount).toBeGreaterThan(SEEDS * EVENTS_PER_SEED_MIN);
      },
      TIMEOUT_MS,
    );
  }
});
