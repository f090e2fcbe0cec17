/** The pages of docs/ that prove each statement: what their proofs name exists. */

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { ROOT, readRepositoryFile } from './repository.ts';
import { needCompiler } from './rules.ts';

// It reads all of the contract, and more.
const options = { timeout: 60_000 };

test('each statement of docs/pinned-memory.md has a proof, which exists', options, (context) => {
  needCompiler(context);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/contract/proofs.mjs'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(stdout, stderr).toBe('');
  expect(status, stderr).toBe(0);
  expect(readRepositoryFile('docs/pinned-memory.md').match(/\[proof: /g)?.length).toBeGreaterThan(
    25,
  );
});
