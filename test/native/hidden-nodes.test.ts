/** A host whose kernel is there and whose files of nodes are not: by a mount in a namespace. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, type TestContext, test } from 'vitest';
import { NODES_FOLDER } from '../../lib/procfs/node-files.ts';
import { scaledTimeoutMs } from '../support/environment.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));
const TIMEOUT_MS = scaledTimeoutMs(20_000);

const LOOK = `
import { openNuma } from './dist/facade/open-numa.js';
import { examine } from './dist/services/doctor/examine.js';
const native = openNuma({ backend: 'native' });
const { findings } = await examine(native);
const statistics = await native.nodeStatistics();
const { topology, backend } = native;
const allowed = native.allowedNodes();
const auto = openNuma().backend;
console.log(JSON.stringify({ topology, backend, auto, allowed, findings, statistics }));
`;

interface Seen {
  readonly topology: {
    readonly nodes: readonly { id: number; cpus: number[] | null; memoryBytes: number | null }[];
    readonly incompleteReason: string;
  };
  readonly backend: { readonly reason: string };
  readonly auto: { readonly kind: string; readonly reason: string };
  readonly allowed: string;
  readonly findings: readonly { readonly id: string; readonly text: string }[];
  readonly statistics: readonly { readonly memory: { readonly totalBytes: number | null } }[];
}

const run = promisify(execFile);

/** What a program finds where nothing is below a folder. */
async function lookWithout(context: TestContext, folder: string): Promise<Seen> {
  if (process.getuid?.() !== 0) context.skip('needs root, for a mount of its own');
  if (!existsSync(`${projectFolder}/dist/index.js`)) context.skip('dist is missing: npm run build');
  const hidden = `mount -t tmpfs none ${folder} && exec "$0" --input-type=module --eval "$1"`;
  const words = ['-m', 'sh', '-c', hidden, process.execPath, LOOK];
  const env = { ...process.env, NODE_NUMA_BACKEND: '' };
  const { stdout, stderr } = await run('unshare', words, { cwd: projectFolder, env }).catch(
    (error) => {
      const isRefused = /permission denied|not permitted/i.test(error.stderr);
      if (isRefused || error.code === 'ENOENT') {
        context.skip('this host lets nobody mount, or has no unshare(1)');
      }
      throw error;
    },
  );
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Seen;
}

const name = 'without %s native and doctor answer';
test.for([NODES_FOLDER, '/sys'])(name, { timeout: TIMEOUT_MS }, async (folder, context) => {
  const seen = await lookWithout(context, folder);
  const { nodes, incompleteReason } = seen.topology;
  const reason = `this host does not tell its nodes (open ${NODES_FOLDER}/online: ENOENT)`;
  expect(incompleteReason).toContain(reason);
  expect(seen.backend.reason).toBe(`asked for by the caller; ${incompleteReason}`);
  expect(seen.findings.find(({ id }) => id === 'nodes')?.text).toBe(incompleteReason);
  expect(seen.findings.some(({ id }) => id === 'calls.move_pages')).toBe(true);
  expect(seen.auto.reason).toContain(`open ${NODES_FOLDER}/has_memory: ENOENT`);
  if (nodes.length > 1) {
    expect(seen.auto.kind).toBe('native');
    expect(nodes.map(({ id }) => id).join(',')).toMatch(/^0,1/);
    expect(new Set(nodes.flatMap(({ cpus, memoryBytes }) => [cpus, memoryBytes]))).toEqual(
      new Set([null]),
    );
    return;
  }
  expect(seen.auto.kind).toBe('simulator');
  expect(seen.allowed).toBe('0');
  const [node] = nodes;
  expect(node).toMatchObject({ id: 0, memoryBytes: totalmem() });
  expect(node?.cpus?.length).toBeGreaterThan(0);
  expect(seen.statistics[0]?.memory.totalBytes).toBe(totalmem());
});
