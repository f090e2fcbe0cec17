/** docs/scenarios.md: its example works as it stands, and its tables have all there is. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { STEP_TABLE, STEP_WORDS } from '../../lib/services/scenario/step-table.ts';
import { runCommand } from '../cli/run-command.ts';

const text = readFileSync(new URL('../../docs/scenarios.md', import.meta.url), 'utf8');

test('the example prints what the page says', async () => {
  const [, scenario = '', , printed = ''] =
    /```json\n(.*?)```\n(.*?)```\n(.*?)```/s.exec(text) ?? [];
  const folder = mkdtempSync(join(tmpdir(), 'node-numa-docs-'));
  const file = join(folder, 'late.json');
  writeFileSync(file, scenario);
  const { exitCode, stdout } = await runCommand(['simulate', file]);
  rmSync(folder, { recursive: true });
  expect(stdout).toBe(printed);
  expect(exitCode).toBe(0);
});

test('each step has its row, and each member a word in it', () => {
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  const shared = ['mapping', 'firstPage', 'pageCount', 'cpu', 'node', 'access', 'name'];
  for (const word of STEP_WORDS) {
    const row = rows.find((line) => line.split('|')[1]?.includes(`\`${word}\``));
    expect(row, word).toBeDefined();
    if (word === 'expect') continue;
    const members = Object.keys(STEP_TABLE[word].members).filter((name) => !shared.includes(name));
    for (const name of members) expect(row, word).toContain(`\`${name}\``);
  }
  for (const name of Object.keys(STEP_TABLE.expect.members)) expect(text).toContain(`\`${name}\``);
});
