/** `node-numa where` on a simulated machine: its JSON, its text at each width, its page maps. */

import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { Colours } from '../../lib/cli/render/colours.ts';
import { pageMap } from '../../lib/cli/render/page-map.ts';
import { runCommand } from './run-command.ts';

const MACHINE = ['--machine', 'two-services', '--kernel', '6.12'];
const DATABASE = '101';

describe('where', () => {
  test('its JSON', async () => {
    const { exitCode, stdout } = await runCommand(['where', DATABASE, ...MACHINE, '--json']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatchSnapshot();
  });

  test('its JSON with mappings', async () => {
    const filter = ['--mapping', 'kind=anonymous,size>=1m'];
    const { stdout } = await runCommand(['where', DATABASE, ...MACHINE, ...filter, '--json']);
    expect((JSON.parse(stdout) as { mappings: unknown }).mappings).toMatchSnapshot();
  });

  test.each([40, 80, 200])('its text at %i columns', async (columns) => {
    const words = ['where', DATABASE, ...MACHINE, '--maps'];
    const { exitCode, stdout, stderr } = await runCommand(words, { columns });
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout.replaceAll('\u001b', '^')).toMatchSnapshot();
    // The first line says whose the answer is, and is the terminal's to break.
    for (const line of stdout.split('\n').slice(1)) {
      expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
    }
  });

  test('says the same without colour', async () => {
    const words = ['where', DATABASE, ...MACHINE, '--maps', '--color', 'never'];
    const { stdout } = await runCommand(words, { columns: 80 });
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toMatchSnapshot();
  });

  test.each([
    [['where'], 2, "missing required argument 'pid'"],
    [['where', 'init'], 2, 'a process id is a number'],
    [['where', '100', '--mapping', 'colour=red'], 2, '"colour=red" is no filter'],
    [['where', '100', '--mapping', 'kind=pile'], 2, 'kind pile: there are heap'],
    [['where', '100', '--mapping', 'size>=huge'], 2, 'a size is a number'],
    [['where', '99', ...MACHINE], 1, 'has processes of its own: 2, 100, 101, 102'],
    [['where', '100', '--machine', 'nowhere'], 2, 'nowhere'],
    [['where', '100', '--watch', '-1', ...MACHINE], 2, 'must be a number above 0'],
  ])('%j', async (words, status, message) => {
    const { exitCode, stdout, stderr } = await runCommand(words);
    expect(exitCode).toBe(status);
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
  });

  test('an error is JSON, too', async () => {
    const { exitCode, stdout, stderr } = await runCommand(['where', '99', ...MACHINE, '--json']);
    expect([exitCode, stderr]).toEqual([1, '']);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'NUMA_NO_SUCH_PROCESS' } });
  });
});

describe('page map', () => {
  const nodes = [0, 2, 5];
  const plain = new Colours(false);

  test('a cell has the letter of the node that most of its pages are on', () => {
    const places = Int32Array.of(0, 0, 2, 2, 5, 5, -2, -2, 2, 0, 0, 0, -2, 2, 5, 5);
    const rows = pageMap(places, { columns: 8, colours: plain, nodes });
    expect(rows).toEqual(['012.0012'.replace('0012', '1012')]);
  });

  test('rows go on below', () => {
    const places = Int32Array.from({ length: 10 }, (_, at) => nodes[at % 3] as number);
    const rows = pageMap(places, { columns: 4, rowsMax: 3, colours: plain, nodes });
    expect(rows).toEqual(['0120', '1201', '20']);
  });
});
