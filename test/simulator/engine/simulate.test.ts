/** npm run simulate, as somebody without a terminal runs it. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../../scripts/simulate.mjs', import.meta.url));

function simulate(...words: string[]): { readonly status: number | null; readonly out: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...words], {
    encoding: 'utf8',
  });
  return { status, out: stdout + stderr };
}

const VERDICTS: readonly (readonly [string, RegExp, RegExp])[] = [
  ['page', /restore .* the target/, /returned 0; process \d+: present #\d+ on node 1$/],
  ['child', /unmap.*unmap.*restore.*restore/s, /returned 0; .* node 1; process .* node 1$/],
  ['shared-memory', /lock-mapping.*switch-mapping.*unlock-mapping/s, /returned 0; .* node 1$/],
  ['writer', /call 1 {2}wait-access/, /returned 0; process \d+: present #\d+ on node 1$/],
  ['pinned', /the page may be pinned/, /returned 1; process \d+: present #\d+ on node 0$/],
  ['pipe', /EAGAIN: 1 references too many/, /returned 1; process \d+: present #\d+ on node 0$/],
  ['busy', /EAGAIN: 1 references too many/, /returned 0; process \d+: present #\d+ on node 1$/],
  ['full', /ENOMEM: no node has room/, /errno 12; process \d+: present #\d+ on node 0$/],
  ['huge', /512 entries in place of it/, /returned 0; process \d+: present #\d+ on node 1$/],
  ['unmapped', /copy .* the first half/, /returned 0; process \d+: absent$/],
];

describe('npm run simulate', () => {
  for (const [scene, step, verdict] of VERDICTS) {
    test(`${scene}, on the oldest kernel and the newest`, () => {
      for (const kernel of ['6.1', '7.2']) {
        const { status, out } = simulate(scene, '--kernel', kernel);
        expect(status, out).toBe(0);
        expect(out).toContain(`Linux ${kernel}`);
        expect(out).toMatch(step);
        expect(out.trim()).toMatch(verdict);
      }
    });
  }

  test('prints a trace as JSON', () => {
    const { status, out } = simulate('page', '--json');
    expect(status).toBe(0);
    const trace = JSON.parse(out);
    expect(trace).toMatchObject({ format: 'node-numa-migration-trace', version: 1 });
    expect(trace.events[0]).toMatchObject({ index: 0, step: 'isolate', address: '0x7f0000000000' });
  });

  test('says what is wrong with its arguments', () => {
    expect(simulate('nothing')).toMatchObject({ status: 2 });
    expect(simulate('nothing').out).toContain('no such scene: nothing');
    expect(simulate('--kernel', '2.6').out).toContain('no such kernel: 2.6');
    expect(simulate('--help')).toMatchObject({ status: 0 });
  });
});
