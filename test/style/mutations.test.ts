/** The faults of test/mutations can still be put in, and name tests that exist. */

import { expect, test } from 'vitest';
import { obstaclesTo, readMutations } from '../../scripts/mutations/patches.mjs';
import { existsInRepository } from './repository.ts';

const mutations = readMutations();

test('there is a mutation of each kind', () => {
  expect(mutations.map(({ name }) => name)).toEqual([
    ...['balancing-mark', 'errno-order', 'mask-encoding', 'placement'],
    ...['policy-restore', 'release-path', 'report-sum', 'status-word'],
  ]);
});

for (const mutation of mutations) {
  test(`${mutation.name} applies, and names tests that there are`, () => {
    expect(obstaclesTo(mutation)).toEqual([]);
    const files = mutation.parts.flatMap(({ suites }) =>
      suites.filter((one) => one.startsWith('test/')),
    );
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !existsInRepository(file))).toEqual([]);
  });
}
