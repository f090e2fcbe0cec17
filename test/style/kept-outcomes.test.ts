/** Results that are kept for a run that goes on: for which files, and which results. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KeptOutcomes, stateOf } from '../../scripts/test/kept.mjs';
import type { Outcome } from '../../scripts/test/part.mjs';

const ok: Outcome = {
  ...{ name: 'four-nodes/6.1 asked', environment: 'four-nodes/6.1', isWhole: true },
  ...{ verdict: 'ok', seconds: 2, note: 'somewhere' },
};

function inFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'node-numa-kept-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('results of parts', () => {
  test('are kept if they passed, for that state and that kernel', () => {
    inFolder((root) => {
      new KeptOutcomes('one', { root }).keep(ok, 'linux-6.1.9');
      expect(new KeptOutcomes('one', { root }).find(ok.name, 'linux-6.1.9')).toEqual(ok);
      expect(new KeptOutcomes('one', { root }).find(ok.name, 'linux-6.1.10')).toBeUndefined();
      expect(new KeptOutcomes('one', { root }).find('four-nodes/6.1', '')).toBeUndefined();
      expect(new KeptOutcomes('two', { root }).find(ok.name, 'linux-6.1.9')).toBeUndefined();
    });
  });

  test('are forgotten when the part fails later', () => {
    inFolder((root) => {
      const kept = new KeptOutcomes('one', { root });
      kept.keep(ok, '');
      kept.keep({ ...ok, verdict: 'failed' }, '');
      expect(kept.find(ok.name, '')).toBeUndefined();
    });
  });

  test('are not kept of files that changed meanwhile', () => {
    inFolder((root) => {
      const kept = new KeptOutcomes('one', { root, isStill: () => false });
      kept.keep(ok, '');
      expect(kept.find(ok.name, '')).toBeUndefined();
    });
  });

  test('that are damaged are none', () => {
    inFolder((root) => {
      const kept = new KeptOutcomes('one', { root });
      kept.keep(ok, '');
      for (const name of readdirSync(join(root, 'one')))
        writeFileSync(join(root, 'one', name), '{');
      expect(kept.find(ok.name, '')).toBeUndefined();
    });
  });

  test('of the last states stay, older ones go', () => {
    inFolder((root) => {
      for (const state of ['1', '2', '3', '4', '5', '6']) new KeptOutcomes(state, { root });
      expect(readdirSync(root)).toHaveLength(4);
      expect(readdirSync(root)).toContain('6');
    });
  });
});

test('the state of a project is that of its files, committed or not', () => {
  inFolder((folder) => {
    const git = (...words: string[]) => {
      const as = ['-c', 'user.name=somebody', '-c', 'user.email=somebody@example.org'];
      expect(spawnSync('git', [...as, ...words], { cwd: folder }).status).toBe(0);
    };
    expect(stateOf(folder)).toBeUndefined();
    git('init', '--quiet');
    writeFileSync(join(folder, '.gitignore'), 'ignored\n');
    writeFileSync(join(folder, 'file'), 'text\n');
    const added = stateOf(folder);
    git('add', '--all');
    git('commit', '--quiet', '--message', 'one');
    writeFileSync(join(folder, 'ignored'), 'anything\n');
    expect(stateOf(folder)).toBe(added);
    writeFileSync(join(folder, 'file'), 'other\n');
    const changed = stateOf(folder);
    mkdirSync(join(folder, 'new'));
    writeFileSync(join(folder, 'new', 'file'), '');
    expect(new Set([added, changed, stateOf(folder)]).size).toBe(3);
    rmSync(join(folder, 'new'), { recursive: true });
    rmSync(join(folder, 'file'));
    expect([added, changed]).not.toContain(stateOf(folder));
  });
});
