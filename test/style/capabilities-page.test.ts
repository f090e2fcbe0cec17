/** The page on capabilities says what the code does. */

import { expect, test } from 'vitest';
import { VERBS } from '../../lib/facade/capabilities/verbs.ts';
import { readRepositoryFile } from './repository.ts';

test('docs/capabilities.md has the ladder of each verb', () => {
  const page = readRepositoryFile('docs/capabilities.md');
  const rows = VERBS.map(({ verb, rungs, instead }) => {
    const ways = rungs.map(({ by, lost }) => (lost === undefined ? by : `${by}: ${lost}`));
    return `| \`${verb}\` | ${ways.join('<br>')} | ${instead?.text ?? ''} |`;
  });
  expect(page.split('\n').filter((line) => rows.includes(line))).toEqual(rows);
});
