/** Scenarios that this host's kernel performs: the simulator, as that kernel, does the same. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readScenario } from '../../lib/services/scenario/read-scenario.ts';
import { memoryNodes, numa } from '../facade/machine.ts';
import { numaCallsUnmet } from '../support/needs.ts';
import { runCommand } from './run-command.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'node-numa-recorded-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function scenarioFile(name: string, steps: readonly object[]): string {
  const path = join(folder, `${name}.scenario.json`);
  const head = { format: 1, name, summary: 'Made by a test.', machine: 'four-nodes' };
  const begin = [
    { do: 'process', name: 'program' },
    { do: 'map', name: 'heap', pageCount: 64 },
  ];
  writeFileSync(path, JSON.stringify({ ...head, steps: [...begin, ...steps] }));
  return path;
}

const heap = { mapping: 'heap' };

const oneNodeSteps = [
  { do: 'touch', ...heap, pageCount: 16 },
  { do: 'touch', ...heap, firstPage: 16, pageCount: 16, access: 'read' },
  { do: 'movePages', ...heap },
  { do: 'setPolicy', ...heap, policy: 'bind:0' },
  { do: 'store', ...heap, firstPage: 20, value: 9 },
  { do: 'movePages', ...heap, to: 0 },
  { do: 'setPolicy', ...heap, policy: 'bind:0', move: 'own', strict: true },
];

const twoNodeSteps = [
  { do: 'setPolicy', policy: 'prefer:1' },
  { do: 'touch', ...heap, pageCount: 8 },
  { do: 'setPolicy', policy: 'default' },
  { do: 'touch', ...heap, firstPage: 8, pageCount: 8, access: 'read' },
  { do: 'movePages', ...heap },
  { do: 'movePages', ...heap, pageCount: 24, to: 0 },
  { do: 'store', ...heap, firstPage: 40, value: 7 },
  { do: 'setPolicy', ...heap, firstPage: 4, pageCount: 40, policy: 'bind:1', move: 'own' },
  { do: 'setPolicy', ...heap, policy: 'bind:0', strict: true },
  { do: 'map', name: 'interleaved', pageCount: 16 },
  { do: 'setPolicy', mapping: 'interleaved', policy: 'interleave:0-1' },
  { do: 'touch', mapping: 'interleaved' },
  { do: 'movePages', ...heap, to: 1, all: true },
  { do: 'migratePages', from: '1', to: '0' },
];

test('what the kernel did is what the simulator does', async (context) => {
  const obstacle = await numaCallsUnmet();
  if (obstacle !== undefined) context.skip(obstacle);
  const [hasFirst, hasSecond] = [memoryNodes.includes(0), memoryNodes.includes(1)];
  if (!hasFirst || !numa.topology.withCpus.has(0)) context.skip('needs node 0, with a CPU');
  const file = join(folder, 'recorded.json');
  const scenario = scenarioFile('done', hasSecond ? twoNodeSteps : oneNodeSteps);
  const recorded = await runCommand(['simulate', scenario, '--record', file]);
  expect([recorded.stderr, recorded.exitCode]).toEqual(['', 0]);
  expect(recorded.stdout).toMatch(/^native, Linux/);
  const { steps } = readScenario(JSON.parse(readFileSync(file, 'utf8')));
  expect(steps.filter((step) => step.do === 'expect').length).toBeGreaterThan(10);
  const played = await runCommand(['simulate', file]);
  expect([played.stdout, played.exitCode]).toEqual([expect.stringContaining('all as expected'), 0]);
});

test('what cannot be done here is refused before anything is done', async () => {
  const refused = [
    [{ do: 'fork', name: 'child' }, /step 3 \(fork\): one process of Node cannot do it/],
    [{ do: 'process', name: 'two' }, /step 3 \(process\): there is one process here/],
    [{ do: 'map', name: 'x', pageCount: 1, file: 'memfd' }, /only private anonymous memory/],
    [{ do: 'unmap', mapping: 'heap', pageCount: 1 }, /given up as a whole/],
    [
      { do: 'unmap', mapping: 'heap' },
      { do: 'touch', mapping: 'heap' },
      /step 4 \(touch\): heap is unmapped, and its addresses may be another's/,
    ],
    [{ do: 'movePages', mapping: 'heap', to: 63 }, /names node 63, and this host has/],
    [{ do: 'setPolicy', policy: 'bind:0,62' }, /names node 62, and this host has/],
  ] as const;
  const file = join(folder, 'never.json');
  for (const row of refused) {
    const steps = row.filter((part) => !(part instanceof RegExp));
    const message = row.at(-1) as RegExp;
    const words = ['simulate', scenarioFile('refused', steps), '--record', file];
    const { exitCode, stderr, stdout } = await runCommand(words);
    expect(stderr).toMatch(message);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(existsSync(file)).toBe(false);
  }
});
