/** `node-numa nodes` on simulated machines: its JSON, and its text at each width. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { runCommand, SNAPSHOT_KERNEL } from './run-command.ts';

const SPARSE = 'machines/sparse-ids.json';
const MEMORYLESS = 'machines/memoryless-node.json';
const EIGHT = 'machines/eight-nodes.json';

async function textOf(machine: string, columns?: number, colour = 'never'): Promise<string> {
  const words = ['nodes', '--machine', machine, '--kernel', SNAPSHOT_KERNEL, '--color', colour];
  const { exitCode, stdout, stderr } = await runCommand(
    words,
    columns === undefined ? {} : { columns },
  );
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  return stdout;
}

describe('nodes', () => {
  test('its JSON', async () => {
    const words = ['nodes', '--machine', SPARSE, '--kernel', SNAPSHOT_KERNEL, '--json'];
    const { exitCode, stdout } = await runCommand(words);
    expect(exitCode).toBe(0);
    expect(stdout).toMatchSnapshot();
  });

  test('a file that is no machine is called a machine', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'node-numa-nodes-'));
    try {
      const twice = join(folder, 'twice.json');
      writeFileSync(twice, '{ "name": "a", "name": "b" }');
      for (const [path, wrong] of [
        ['./nowhere.json', 'cannot be read: ENOENT'],
        [twice, 'has the member "name" twice'],
      ]) {
        const { exitCode, stderr } = await runCommand(['nodes', '--machine', path as string]);
        expect(stderr).toContain(`the "machine" argument ${wrong}`);
        expect(exitCode).toBe(2);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([
    [SPARSE, 80],
    [MEMORYLESS, 80],
    [EIGHT, 40],
    [EIGHT, 200],
  ])('the text of %s at %i columns', async (machine, columns) => {
    expect(await textOf(machine, columns)).toMatchSnapshot();
  });

  test.each([40, 60, 80, 200])(
    'fits into %i columns, all nodes and distances in it',
    async (columns) => {
      for (const machine of [SPARSE, MEMORYLESS, EIGHT, 'two-sockets', 'sub-numa-clusters']) {
        const text = await textOf(machine, columns);
        // The first line says whose the answer is, and is the terminal's to break.
        for (const line of text.split('\n').slice(1))
          expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
        const json = await runCommand(['nodes', '--machine', machine, '--json']);
        const { nodes } = JSON.parse(json.stdout) as { nodes: { id: number }[] };
        const [, table = '', ...rest] = text.split('\n\n');
        expect([...table.matchAll(/^ *(\d+) {2}/gm)].map(([, id]) => Number(id))).toEqual(
          nodes.map(({ id }) => id),
        );
        const cells = rest
          .filter((part) => part.startsWith('distance') || /^ +\d+ +\d+/.test(part))
          .flatMap((part) => part.split('\n').slice(1))
          .flatMap((row) => row.trim().split(/ +/).slice(1));
        expect(cells.length).toBe(nodes.length ** 2);
      }
    },
  );

  test('colours add nothing but colour', async () => {
    const painted = await textOf(EIGHT, 80, 'always');
    expect(painted).toContain('\u001b[42m');
    const bars = (text: string): string =>
      text.replaceAll(/[█#]/g, '#').replaceAll(/[░.]/g, '.').replaceAll(/ +$/gm, '');
    expect(bars(stripVTControlCharacters(painted))).toBe(bars(await textOf(EIGHT, 80)));
  });

  test('a list of CPUs that is too long ends with their number; a pipe gets all', async () => {
    const cpus = (first: number): number[] => Array.from({ length: 16 }, (_, at) => first + 2 * at);
    const description = {
      name: 'woven',
      description: 'CPUs in turn',
      nodes: [0, 1].map((id) => ({ id, memoryMiB: 512, cpus: cpus(id) })),
      distances: [
        [10, 20],
        [20, 10],
      ],
    };
    const folder = mkdtempSync(join(tmpdir(), 'node-numa-nodes-'));
    const path = join(folder, 'woven.json');
    writeFileSync(path, JSON.stringify(description));
    expect(await textOf(path, 40)).toMatch(/^ +1 {2}1,3,… \(16\) +512 MiB/m);
    expect(await textOf(path, 80)).toMatch(/^ +1 {2}1,3,5,7,9,11,… \(16\) +512 MiB/m);
    expect(await textOf(path)).toMatch(new RegExp(`^ +1 {2}${cpus(1)} +512 MiB`, 'm'));
    rmSync(folder, { recursive: true });
  });

  test('says what it was not given', async () => {
    const { exitCode, stderr } = await runCommand(['nodes', '--machine', 'nine-nodes']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('four-nodes');
  });
});
