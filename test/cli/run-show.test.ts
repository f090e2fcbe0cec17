/** What `run --show` prints. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultPolicy } from '../../lib/core/memory-policy.ts';
import { openNuma } from '../../lib/facade/open-numa.ts';
import { numaCallsUnmet } from '../support/needs.ts';
import { needFourNodes } from './four-nodes.ts';
import { runCommand } from './run-command.ts';

const obstacle = await numaCallsUnmet();
const numa = obstacle === undefined ? openNuma({ backend: 'native' }) : undefined;
const cpus = [...(numa?.thread.affinity() ?? [])];

beforeEach((context) => {
  if (obstacle !== undefined) context.skip(obstacle);
});

/** Without a command the thread itself is set. */
afterEach(() => {
  numa?.thread.setPolicy(defaultPolicy());
  numa?.thread.setAffinity(cpus);
});

async function shown(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(['run', '--show', ...words]);
  expect([exitCode, stderr]).toEqual([0, '']);
  return stdout
    .replaceAll(numa?.backend.kernel ?? '', 'KERNEL')
    .replace(/libnuma[\w.]+/, 'LIBNUMA');
}

describe('run --show', () => {
  test('--json has this shape', async () => {
    const text = await shown('--json', '--policy', 'local', '--cpus', `${cpus[0]}`);
    const home = numa?.topology.nodes.find((node) => node.cpus?.includes(cpus[0] as number));
    expect(JSON.parse(text)).toEqual({
      backend: {
        kind: 'native',
        kernel: 'KERNEL',
        libnuma: 'LIBNUMA',
        reason: 'asked for by the caller',
      },
      policy: { mode: 'local', nodes: '', flags: [] },
      cpus: `${cpus[0]}`,
      cpuNodes: `${home?.id}`,
      allowedNodes: `${numa?.allowedNodes()}`,
    });
  });

  test('as text, on four nodes', async (context) => {
    needFourNodes(context);
    const words = ['--balancing', '-m', '0,2', '--cpu-nodes', '1'];
    expect(await shown(...words)).toMatchInlineSnapshot(`
      "native, Linux KERNEL (asked for by the caller)
      policy         bind=balancing:0,2
      cpus           1
      cpu nodes      1
      allowed nodes  0-3
      "
    `);
  });

  test('as JSON, on four nodes', async (context) => {
    needFourNodes(context);
    const words = ['--json', '-p', 'interleave', '-m', '!0', '--relative', '--cpus', 'all'];
    expect(await shown(...words)).toMatchInlineSnapshot(`
      "{
        "backend": {
          "kind": "native",
          "kernel": "KERNEL",
          "libnuma": "LIBNUMA",
          "reason": "asked for by the caller"
        },
        "policy": {
          "mode": "interleave",
          "nodes": "1-3",
          "flags": [
            "relative-nodes"
          ]
        },
        "cpus": "0-1",
        "cpuNodes": "0-1",
        "allowedNodes": "0-3"
      }
      "
    `);
  });

  test('tells a mode that this kernel does not have', async () => {
    if (numa === undefined) return;
    const { exitCode, stderr, stdout } = await runCommand([
      ...['run', '--show', '-p', 'weighted-interleave', '-m', 'all'],
    ]);
    if (exitCode === 0) return expect(stdout).toContain('weighted interleave:');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'this kernel does not have MPOL_WEIGHTED_INTERLEAVE: ' +
        `Linux has it since 6.9, this is ${numa.backend.kernel}`,
    );
  });
});
