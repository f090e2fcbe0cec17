/** docs/migration.md knows every step of the engine, and names none that there is not. */

import { expect, test } from 'vitest';
import { MIGRATION_STEPS } from '../../lib/simulator/interface/migration-event.ts';
import { readRepositoryFile } from './repository.ts';

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
