/** The memory of workers and children that are placed is on their node, from their start. */

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { needNodes, numa } from './machine.ts';

interface Told {
  readonly policy: string;
  readonly byNode: Readonly<Record<string, number>>;
}

const FILE = new URL('workers/placed.mjs', import.meta.url);
/** The flags of the test runner are for nobody else. */
const PLAIN = { execArgv: [] };
/** What a heap begins with, at least: of the runtime, before the first line of the worker. */
const HEAP_BYTES = 2 ** 20;

beforeEach((context) => {
  if (!existsSync(new URL('../../dist/index.js', import.meta.url))) {
    context.skip('dist is missing: npm run build:ts');
  }
});

test('a worker has its heap and all that it takes on its node', async (context) => {
  const [, away] = needNodes(context, 2) as [number, number];
  const bytesAway = async () => (await numa.process().residency()).bytesByNode[away] ?? 0;
  const before = await bytesAway();
  const policy = `${numa.thread.policy()}`;
  const placement = { memoryNodes: away } as const;
  const { worker } = numa.worker(FILE, placement, { ...PLAIN, workerData: 'stay' });
  expect(`${numa.thread.policy()}`).toBe(policy);
  const [told] = (await once(worker, 'message')) as [Told];
  expect(told.policy).toBe(`bind:${away}`);
  expect(Object.keys(told.byNode)).toEqual([`${away}`]);
  // What it took was counted with the rest, as far as it is there still.
  expect((await bytesAway()) - before).toBeGreaterThan(HEAP_BYTES);
  await worker.terminate();
});

test('a child has all of its own on its node', async (context) => {
  const [, away] = needNodes(context, 2) as [number, number];
  const { child } = numa.fork(FILE, ['stay'], { memoryNodes: away }, PLAIN);
  const [told] = (await once(child, 'message')) as [Told];
  expect([told.policy, Object.keys(told.byNode)]).toEqual([`bind:${away}`, [`${away}`]]);
  const { byKind } = await numa.process(child.pid).residency();
  const { bytesByNode } = byKind.anonymous;
  expect(Object.keys(bytesByNode)).toEqual([`${away}`]);
  child.send('end');
  await once(child, 'exit');
});
