/** `node-numa where` on a simulated machine: its JSON, its text at each width, its page maps. */

import { EventEmitter } from 'node:events';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../../lib/cli/command-line.ts';
import { whereCommand } from '../../lib/cli/commands/where.ts';
import { Interrupts, type SignalSource } from '../../lib/cli/interrupts.ts';
import { Output } from '../../lib/cli/output.ts';
import { Colours } from '../../lib/cli/render/colours.ts';
import { type PageMapOptions, pageMap } from '../../lib/cli/render/page-map.ts';
import { type ProcessThread, remoteShareOf } from '../../lib/facade/process/process-threads.ts';
import { openNuma } from '../../lib/index.ts';
import { Machine } from '../../lib/simulator/public.ts';
import { withFiles } from '../support/with-files.ts';
import { printedBy } from './print-command.ts';
import { runCommand, SNAPSHOT_KERNEL } from './run-command.ts';

const MACHINE = ['--machine', 'two-services', '--kernel', SNAPSHOT_KERNEL];
const DATABASE = '101';

/** With --watch on a terminal that takes so many texts, and is closed then. */
async function watched(words: readonly string[], textCount: number): Promise<string> {
  let printed = '';
  let texts = 0;
  let close: (error: NodeJS.ErrnoException) => void = () => {};
  const stdout = {
    ...{ isTTY: true, columns: 80, rows: 24 },
    write: (text: string) => {
      printed += text;
      if (text.length > 20) texts += 1;
      if (texts === textCount) close(Object.assign(new Error('closed'), { code: 'EPIPE' }));
    },
    on: (_: 'error' | 'resize', listener: typeof close) => {
      if (_ === 'error') close = listener;
    },
  };
  const source = Object.assign(new EventEmitter(), { pid: 0, kill: () => {} });
  const interrupts = new Interrupts(source as unknown as SignalSource);
  const output = new Output({ stdout, stderr: stdout }, {});
  await runCommandLine(words, { output, interrupts, version: '0.0.0' });
  return printed;
}

describe('watching', () => {
  const ALTERNATE = '\u001b[?1049h';

  test.each([
    ['where', [DATABASE], '"pid"'],
    ['stat', [], '"changes"'],
  ] as const)('%s draws on a screen of its own, and keeps JSON', async (command, args, member) => {
    const words = [command, ...args, '--watch', '0.01', ...MACHINE];
    expect(await watched(words, 2)).toContain(ALTERNATE);
    const json = await watched([...words, '--json'], 2);
    expect(json).not.toContain('\u001b');
    const texts = json.split(/^(?=\{$)/m).map((text) => JSON.parse(text) as object);
    expect(texts).toHaveLength(2);
    expect(json).toContain(member);
  });
});

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
    [['where', '100', '--mapping', 'kind=heap,kind=file'], 2, '"kind=file" tells again'],
    [['where', '100', '--mapping', 'file=a,size>=1,file=b'], 2, '"file=b" tells again'],
    [['where', '100', '--mapping', 'node=0,1,node=2'], 2, '"node=2" tells again'],
    [['where', '100', '--mapping', 'address=1,address=2'], 2, '"address=2" tells again'],
    [['where', '100', '--mapping', 'size>=1,size<=3,size>=2'], 2, '"size>=2" tells again'],
    [['where', '100', '--mapping', 'size=1,size<=3'], 2, '"size<=3" tells again'],
    [['where', '100', '--top', '1', '--top', '2'], 2, "'--top <count>' is given twice"],
    [
      ['where', '100', '--kernel', SNAPSHOT_KERNEL, `--kernel=${SNAPSHOT_KERNEL}`],
      2,
      "'--kernel <line>' is given twice",
    ],
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

describe('the remote share', () => {
  /** Threads with CPU times as they are: any hundredths of a second. */
  function threadsOn(nodes: readonly number[]): ProcessThread[] {
    return nodes.map((node, at) => {
      const cpuTimeMs = 10 * (1 + ((at * 7919) % 997));
      return { tid: at, name: '', state: 'S', cpu: 0, node, cpuTimeMs };
    });
  }

  test('is none on one node and all on another one, however many threads there are', () => {
    for (let count = 1; count < 60; count += 1) {
      const threads = threadsOn(Array.from({ length: count }, () => 1));
      for (const bytes of [4096, 3 * 4096, 7 * 2 ** 30 + 4096]) {
        expect(remoteShareOf({ 1: bytes }, threads)).toBe(0);
        expect(remoteShareOf({ 0: bytes, 2: 4096 }, threads)).toBe(1);
      }
    }
  });

  test('is by CPU time where there is any, and by threads otherwise', () => {
    const idle = threadsOn([0, 1, 1, 1]).map((thread) => ({ ...thread, cpuTimeMs: 0 }));
    const bytes = { 0: 3 * 4096, 1: 4096 };
    expect(remoteShareOf(bytes, idle)).toBe(0.625);
    const busy = idle.map((thread) => ({ ...thread, cpuTimeMs: thread.node === 0 ? 10 : 0 }));
    expect(remoteShareOf(bytes, busy)).toBe(0.25);
  });
});

describe('page map', () => {
  const nodes = [0, 2, 5];
  const plain = new Colours(false);
  const mapOf = (places: Int32Array, options: PageMapOptions): string[] => {
    const runs = [...places].map((place, firstPage) => ({ firstPage, pageCount: 1, place }));
    return pageMap(places.length, runs, options);
  };

  test('a run of pages reaches over cells', () => {
    const run = { firstPage: 3, pageCount: 2 ** 31, place: 2 };
    const rows = pageMap(2 ** 32, [run], { columns: 8, colours: plain, nodes });
    expect(rows).toEqual(['11111...']);
  });

  test('a cell has the letter of the node that most of its pages are on', () => {
    const places = Int32Array.of(0, 0, 2, 2, 5, 5, -2, -2, 2, 0, 0, 0, -2, 2, 5, 5);
    const rows = mapOf(places, { columns: 8, colours: plain, nodes });
    expect(rows).toEqual(['012.0012'.replace('0012', '1012')]);
  });

  test('rows go on below', () => {
    const places = Int32Array.from({ length: 10 }, (_, at) => nodes[at % 3] as number);
    const rows = mapOf(places, { columns: 4, rowsMax: 3, colours: plain, nodes });
    expect(rows).toEqual(['0120', '1201', '20']);
  });
});

test('any number of filters is one look: each file of the process is read once', async () => {
  const machine = new Machine();
  const process = machine.process();
  const mapped = process.memory.mmap({ pageCount: 8 });
  if (!mapped.ok) throw new Error(`errno ${mapped.errno}`);
  process.memory.touch({ address: mapped.value, pageCount: 8 }, 'write');
  const reads: string[] = [];
  const backend = withFiles(machine.self.backend, (path, ask) => {
    reads.push(path);
    return ask();
  });
  const open = () => openNuma({ backend });
  const mapping = [{ kind: 'anonymous' }, { kind: 'heap' }, { node: '0-3' }];
  const printed = await printedBy(whereCommand, open, [process.pid], { mapping, top: 5 });
  expect(printed).toMatch(/anonymous/);
  const counts = ['numa_maps', 'smaps', 'maps'].map(
    (name) => reads.filter((path) => path === `/proc/${process.pid}/${name}`).length,
  );
  expect(counts).toEqual([1, 1, 0]);
});
