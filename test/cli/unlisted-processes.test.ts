/** What /proc does not list, on this host's kernel: by hidepid, and in a PID namespace. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { scaledTimeoutMs } from '../support/environment.ts';
import { numaCallsUnmet } from '../support/needs.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const NOBODY = 'setpriv --reuid 65534 --regid 65534 --clear-groups';
const obstacle = existsSync(MAIN) ? await numaCallsUnmet() : 'dist is missing: npm run build:ts';

function inNamespaces(flags: string, line: string): { status: number | null; stdout: string } {
  return spawnSync('unshare', [...flags.split(' '), 'sh', '-c', line], { encoding: 'utf8' });
}

function mayUnshare(): boolean {
  const line = `mount -t proc -o hidepid=2 proc /proc && ${NOBODY} true`;
  return inNamespaces('-m', line).status === 0;
}

/** What a command prints there. */
function printed(flags: string, before: string, program: string): string {
  return inNamespaces(flags, `${before}; ${program}`).stdout;
}

describe('top and doctor', { timeout: scaledTimeoutMs(60_000) }, () => {
  const program = `'${process.execPath}' '${MAIN}'`;

  beforeEach((context) => {
    if (obstacle !== undefined) context.skip(obstacle);
    if (!mayUnshare()) context.skip('needs root, unshare(1), setpriv(1) and mount(8)');
  });

  test.each([
    ['1', NOBODY, []],
    ['2', NOBODY, ['hidepid']],
    ['4', NOBODY, ['hidepid']],
    ['2', '', []],
    // Whoever is in the group that the mount names sees all.
    ['2,gid=65534', NOBODY, []],
  ])('with hidepid=%s, as "%s": %j', (mode, as, kinds) => {
    const mount = `mount -t proc -o hidepid=${mode} proc /proc`;
    const { warnings } = JSON.parse(printed('-m', mount, `${as} ${program} top --json`)) as {
      warnings: { kind: string }[];
    };
    expect(warnings.map(({ kind }) => kind)).toEqual(kinds);
  });

  test('tell both, in a PID namespace whose first process is of the same user', () => {
    const mount = 'mount -t proc -o hidepid=2 proc /proc';
    const line = `exec ${NOBODY} sh -c "${program} top --json; true"`;
    const { warnings } = JSON.parse(printed('-mpf', mount, line)) as { warnings: object[] };
    expect(warnings).toMatchObject([{ kind: 'hidepid' }, { kind: 'pid-namespace' }]);
  });

  test.each([
    ['-m', 'mount -t proc -o hidepid=2 proc /proc', NOBODY, '/proc hides the processes of others'],
    ['-mpf --mount-proc', ':', '', 'these are the processes of a PID namespace'],
  ])('say so, within unshare %s', (flags, mount, as, words) => {
    const text = printed(flags, mount, `for word in top doctor; do ${as} ${program} $word; done`);
    expect(text).toContain(`\nnote: ${words}`);
    expect(text).toMatch(new RegExp(`^(warning|ok) +${words}`, 'm'));
  });
});
