/** Virtual cost against what was published, row by row; the same rows are in docs/simulator.md. */

import { describe, expect, test } from 'vitest';
import { readRepositoryFile } from '../style/repository.ts';
import { allRows, errorOf, guestRows, type Row, rowText, zen3Rows } from './cost-tables.ts';

const ERROR_MAX = 0.15;

/** Every pair that the figures tell apart is told apart the same way. */
function expectOrderKept(rows: readonly Row[]): void {
  for (const a of rows) {
    for (const b of rows.filter(({ published }) => published > a.published)) {
      expect(b.modelled, `${b.name} against ${a.name}`).toBeGreaterThan(a.modelled);
    }
  }
}

describe('virtual cost', () => {
  test.for(allRows())('$profile, $name: within 15 % of the figure', (row) => {
    expect(Math.abs(errorOf(row))).toBeLessThan(ERROR_MAX);
  });

  test('the order of folio sizes, and of their numbers, is that of the machine', () => {
    const rows = zen3Rows().filter(({ name }) => !name.includes('threads'));
    expectOrderKept(rows.filter(({ name }) => name.startsWith('1 GB')));
    expectOrderKept(rows.filter(({ name }) => !name.startsWith('1 GB')));
  });

  test.for(['guest-6.12', 'guest-6.1'] as const)(
    'the order of strategies is that of %s',
    (profile) => {
      expectOrderKept(guestRows(profile));
    },
  );

  test('the documentation has each row with its error', () => {
    const text = readRepositoryFile('docs/simulator.md');
    expect(
      allRows()
        .map(rowText)
        .filter((line) => !text.includes(line)),
    ).toEqual([]);
  });
});
