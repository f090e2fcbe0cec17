/** `node-numa stat` on simulated machines: its JSON, its text, changes, and what it refuses. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import stringWidth from 'string-width';
import { afterAll, describe, expect, test } from 'vitest';
import type { NodeStatistics } from '../../lib/facade/host/node-statistics.ts';
import { changesBetween } from '../../lib/services/statistics/changes.ts';
import { runCommand, SNAPSHOT_KERNEL } from './run-command.ts';

const EIGHT = ['--machine', 'machines/eight-nodes.json', '--kernel', SNAPSHOT_KERNEL];

const folder = mkdtempSync(join(tmpdir(), 'node-numa-stat-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(content: unknown): string {
  const path = join(folder, 'earlier.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

interface StatJson {
  readonly backend: { readonly kind: string };
  readonly changes: string | null;
  readonly nodes: readonly NodeStatistics[];
}

async function jsonOf(...words: string[]): Promise<StatJson> {
  const { exitCode, stdout } = await runCommand(['stat', ...EIGHT, '--json', ...words]);
  expect(exitCode).toBe(0);
  return JSON.parse(stdout) as StatJson;
}

describe('stat of nodes', () => {
  test('its JSON', async () => {
    const { nodes, ...rest } = await jsonOf();
    expect({ ...rest, nodes: nodes.slice(0, 1), nodeCount: nodes.length }).toMatchSnapshot();
  });

  test.each([40, 80, 200])('fits into %i columns', async (columns) => {
    for (const words of [[], ['--memory']]) {
      const { stdout } = await runCommand(['stat', ...EIGHT, ...words], { columns });
      const lines = stdout.split('\n').slice(1);
      for (const line of lines) expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
      const headings = lines.filter((line) => / node \d/.test(line)).join(' ');
      expect(headings.match(/node \d/g)).toEqual(
        [0, 1, 2, 3, 4, 5, 6, 7].map((id) => `node ${id}`),
      );
    }
  });

  test('the text', async () => {
    expect((await runCommand(['stat', ...EIGHT], { columns: 80 })).stdout).toMatchSnapshot();
    expect((await runCommand(['stat', ...EIGHT, '-m'], { columns: 80 })).stdout).toMatchSnapshot();
  });
});

describe('changes', () => {
  test('since a file are what the counters grew by', async () => {
    const now = await jsonOf();
    const [first, ...others] = now.nodes as [NodeStatistics, ...NodeStatistics[]];
    const allocations = first.allocations as NonNullable<NodeStatistics['allocations']>;
    const earlier = { ...allocations, numaHit: allocations.numaHit - 5 };
    const path = fileWith({ ...now, nodes: [{ ...first, allocations: earlier }, ...others] });
    const { changes, nodes } = await jsonOf('--since', path);
    expect(changes).toBe(`since ${path}`);
    expect(nodes.map((node) => node.allocations?.numaHit)).toEqual([5, 0, 0, 0, 0, 0, 0, 0]);
    expect(nodes[0]?.memory).toEqual({ totalBytes: 0, usedBytes: 0, freeBytes: 0 });
    const { stdout } = await runCommand(['stat', ...EIGHT, '--since', path]);
    expect(stdout).toMatch(/^numa_hit +\+5 +0 /m);
  });

  test('are of nodes and pools that both looks have, and of what both could read', () => {
    const node = (id: number, change: Partial<NodeStatistics> = {}): NodeStatistics => ({
      id,
      memory: { totalBytes: 100, usedBytes: 40, freeBytes: 60 },
      allocations: null,
      meminfo: { MemFree: 60 },
      hugePages: [{ pageSizeBytes: 2 ** 21, total: 3, free: 2, surplus: 0 }],
      ...change,
    });
    const later = node(1, { hugePages: [], meminfo: { MemFree: 50, New: 7 } });
    expect(changesBetween([node(0), node(1)], [later, node(2)])).toEqual([
      {
        id: 1,
        memory: { totalBytes: 0, usedBytes: 0, freeBytes: 0 },
        allocations: null,
        meminfo: { MemFree: -10, New: 7 },
        hugePages: [],
      },
    ]);
  });

  test('are watched as often as asked', async () => {
    const watch = ['stat', ...EIGHT, '--watch', '0.01'];
    const { exitCode, stdout } = await runCommand([...watch, '--count', '2']);
    expect(exitCode).toBe(0);
    expect(stdout.match(/^changes in 0.01 s$/gm)).toHaveLength(2);
  });
});

describe('stat refuses', () => {
  test.each([
    [['--since', 'x.json', '--watch', '1'], 'leave one out'],
    [['--count', '2'], 'needs --watch'],
    [['1', '--memory'], 'no --memory'],
    [['0'], 'a process id'],
    [['--watch', '0'], 'above 0'],
    [['--since', '/nowhere.json'], 'ENOENT'],
  ])('%j', async (words, message) => {
    const { exitCode, stdout, stderr } = await runCommand(['stat', ...EIGHT, ...words]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  test('files that are no earlier output of it', async () => {
    const now = await jsonOf();
    const [first] = now.nodes as [NodeStatistics];
    const grown = { ...(first.allocations as object), numaHit: 2 ** 50 };
    const wrong: [unknown, string][] = [
      ['{', 'JSON'],
      [[], 'no output'],
      [null, 'no output'],
      [{ ...now, nodes: [{ id: 0 }] }, 'no output'],
      [{ ...now, nodes: [{ ...first, allocations: 3 }] }, 'no output'],
      [{ ...now, nodes: [{ ...first, hugePages: [{ total: 'x' }] }] }, 'no output'],
      [{ ...now, nodes: [] }, 'no output'],
      [{ ...now, nodes: [{ ...first, memory: {} }] }, 'no output'],
      [{ ...now, nodes: [{ ...first, allocations: {} }] }, 'no output'],
      [{ ...now, nodes: [{ ...first, hugePages: [{}] }] }, 'no output'],
      [{ ...now, nodes: [{ id: 0, memory: {}, allocations: {} }] }, 'no output'],
      [{ ...now, changes: 'in 1 s' }, 'it has changes'],
      [{ ...now, backend: { kind: 'native' } }, 'it is of native'],
      [{ ...now, nodes: [{ ...first, allocations: grown }] }, 'from before its start'],
    ];
    for (const [content, message] of wrong) {
      const path = fileWith(content);
      const { exitCode, stderr } = await runCommand(['stat', ...EIGHT, '--since', path]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain(message);
    }
  });

  test('processes that are not there: all of them 1, some of them 3', async () => {
    const one = await runCommand(['stat', ...EIGHT, '4000000']);
    expect(one).toMatchObject({ exitCode: 1, stdout: '' });
    const two = await runCommand(['stat', ...EIGHT, '--json', '4000000', '4000001']);
    expect(two.exitCode).toBe(1);
    const { processes } = JSON.parse(two.stdout) as { processes: object[] };
    expect(processes).toMatchObject([
      { pid: 4000000, error: { code: 'NUMA_NO_SUCH_PROCESS' } },
      { pid: 4000001, error: { code: 'NUMA_NO_SUCH_PROCESS' } },
    ]);
  });
});
