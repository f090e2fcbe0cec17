/**
 * There is one engine: docs/migration.md knows all of its steps and names no other, and nothing
 * outside of it has rules of its own for moving pages.
 */

import { expect, test } from 'vitest';
import { MIGRATION_STEPS } from '../../lib/simulator/interface/migration-event.ts';
import { readRepositoryFile, withoutComments } from './repository.ts';
import { lib, matchesByLine } from './rules.ts';

test('the tables of docs/migration.md are the steps of the engine', () => {
  const rows = readRepositoryFile('docs/migration.md')
    .split('\n')
    .filter((line) => line.startsWith('|') && !line.startsWith('| `machine'));
  const first = rows
    .filter((line) => /^\| (\d|A\d| )/.test(line))
    .map((line) => line.split('|')[4]);
  const second = rows
    .filter((line) => /^\| `[a-z-]+` \|/.test(line))
    .map((line) => line.split('|')[1]);
  const named = [...first, ...second].flatMap((cell) => [...(cell ?? '').matchAll(/`([a-z-]+)`/g)]);
  expect(new Set(named.map(([, name]) => name))).toEqual(new Set(MIGRATION_STEPS));
});

/** Files of the simulator with a pattern, as often as they have it. */
function filesWith(pattern: RegExp): string[] {
  return lib
    .filter(({ path }) => path.startsWith('lib/simulator/'))
    .flatMap(({ path, text }) =>
      matchesByLine(withoutComments(text), pattern).map(() => path.replace('lib/simulator/', '')),
    );
}

test.each([
  ['batchesMigrations', 'migrate-pages'],
  ['copiesFirst', 'move-folio'],
  ['movingMapsPartly', 'move-folio'],
  ['splitsPartlyMapped', 'migrate-batch'],
  ['splittingDropsZeros', 'migrate-batch'],
])('how kernels move pages is read once: %s', (flag, file) => {
  const isRead = new RegExp(`facts\\.${flag}|\\b${flag}\\b.*\\} = .*facts`);
  expect(filesWith(isRead)).toEqual([`migrate/${file}.ts`]);
});

test('who looks on is asked by a call, and by a list of pages', () => {
  const asked = filesWith(/\bisStepped\b(?!\(\):)/);
  expect(asked).toEqual([
    'migrate/page-list.ts',
    'migrate/page-list.ts',
    'migrate/suspended-call.ts',
  ]);
});
