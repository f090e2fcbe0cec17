/** The numbers in core/uapi.ts are those of the system headers. */

import { describe, expect, it } from 'vitest';
import { MPOL, MPOL_F, MPOL_MF, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import { addon } from './raw-addon.mjs';

const headers = addon.uapi();

const ours = {
  ...withPrefix('MPOL_', MPOL),
  ...withPrefix('MPOL_F_', MPOL_MODE_FLAG),
  ...withPrefix('MPOL_F_', MPOL_F),
  ...withPrefix('MPOL_MF_', MPOL_MF),
};

function withPrefix(prefix: string, numbers: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [prefix + name, value]));
}

describe('the constants', () => {
  const { MPOL_MAX: modeCount = 0, ...named } = headers;

  it('of the headers are ours', () => {
    expect(ours).toMatchObject(named);
  });

  it('that the headers do not name are modes newer than them', () => {
    const unnamed = Object.keys(ours).filter((name) => !(name in named));
    expect(unnamed).toEqual(['MPOL_WEIGHTED_INTERLEAVE']);
    if (modeCount > MPOL.WEIGHTED_INTERLEAVE) expect(modeCount).toBeGreaterThanOrEqual(7);
    else expect(modeCount).toBe(MPOL.WEIGHTED_INTERLEAVE);
  });
});
