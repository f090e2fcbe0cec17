/** node-numa simulate, as somebody without a terminal runs it; and the stepper of the terminal. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Interrupts } from '../../lib/cli/interrupts.ts';
import { Output } from '../../lib/cli/output.ts';
import { Colours } from '../../lib/cli/render/colours.ts';
import { drawFrame } from '../../lib/cli/render/scenario-frame.ts';
import { type KeyInput, stepThrough } from '../../lib/cli/stepper.ts';
import { newestKernelLine, oldestKernelLine } from '../../lib/core/kernels.ts';
import { playScenario } from '../../lib/services/scenario/play.ts';
import { bundledScenarioNames, openScenario } from '../../lib/services/scenario/read-scenario.ts';
import { kernelLines } from '../../lib/simulator/public.ts';
import { runCommand, SNAPSHOT_KERNEL } from './run-command.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'node-numa-scenarios-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A file with a scenario of one process that has 4 pages. */
function scenarioFile(name: string, steps: readonly object[], rest: object = {}): string {
  const path = join(folder, `${name}.json`);
  const before = [
    { do: 'process', name: 'owner', node: 0 },
    { do: 'map', name: 'heap', pageCount: 4 },
  ];
  const head = { format: 1, name, summary: 'Made by a test.', machine: 'four-nodes' };
  writeFileSync(path, JSON.stringify({ ...head, steps: [...before, ...steps], ...rest }));
  return path;
}

/** What a trace has, and where the page is in the end. */
const SCENES: readonly (readonly [string, RegExp, RegExp])[] = [
  ['page', /restore .* the target/, /returned 0: 1 on node 1/],
  ['child', /unmap.*unmap.*restore.*restore/s, /child .* 1$/m],
  ['shared-memory', /lock-mapping.*switch-mapping.*unlock-mapping/s, /returned 0: 1 on node 1/],
  ['writer', /call 1 {2}wait-access/, /value 43 +as expected/],
  ['pinned', /the page may be pinned/, /returned 1: .*returned 0: 1 on node 1/s],
  ['pipe', /EAGAIN: 1 references too many/, /returned 1/],
  ['busy', /EAGAIN: 1 references too many/, /returned 0: 1 on node 1/],
  ['full', /ENOMEM: no node has room/, /ENOMEM: 1 unset/],
  ['huge', /512 entries in place of it/, /owner .* 512$/m],
  ['unmapped', /copy .* the first half/, /notPresent 1 +as expected/],
];

describe('the scenarios of the package', () => {
  test.each(SCENES)('%s shows its steps, on the oldest kernel and the newest', async (...row) => {
    const [name, step, ending] = row;
    for (const kernel of [oldestKernelLine, newestKernelLine]) {
      const words = ['simulate', name, '--trace', '--kernel', kernel];
      const { exitCode, stdout, stderr } = await runCommand(words);
      expect([exitCode, stderr]).toEqual([0, '']);
      expect(stdout).toContain(`Linux ${kernel}`);
      expect(stdout).toMatch(step);
      expect(stdout).toMatch(ending);
    }
  });

  test('come to what they expect on every kernel, and nothing is left over', () => {
    for (const name of bundledScenarioNames()) {
      for (const kernel of kernelLines) {
        const { differences, machine } = playScenario(openScenario(name), { kernel });
        expect([name, kernel, differences]).toEqual([name, kernel, []]);
        expect(machine.invariantBreaches()).toEqual([]);
        expect(machine.unendedCallCount).toBe(0);
      }
    }
  });

  test('are listed', async () => {
    const { exitCode, stdout } = await runCommand(['simulate', '--list']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatchSnapshot();
  });
});

describe('what it prints', () => {
  test('a table in a pipe, and steps above their outcomes in a narrow terminal', async () => {
    const words = ['simulate', 'wrong-node', '--kernel', SNAPSHOT_KERNEL];
    expect((await runCommand(words)).stdout).toMatchSnapshot();
    const narrow = await runCommand([...words, '--color', 'never'], { columns: 40 });
    expect(narrow.stdout).toMatchSnapshot();
  });

  test('JSON, with the trace where it is asked for', async () => {
    const words = ['simulate', 'page', '--json', '--kernel', newestKernelLine];
    expect(JSON.parse((await runCommand(words)).stdout)).toMatchSnapshot();
    const { trace } = JSON.parse((await runCommand([...words, '--trace'])).stdout);
    expect(trace).toMatchObject({ format: 'node-numa-migration-trace', version: 1 });
    expect(trace.events[0]).toMatchObject({ index: 0, step: 'isolate', address: '0x7f0000000000' });
  });

  test('what is not as expected, with exit status 1', async () => {
    const path = scenarioFile('differs', [
      { do: 'touch', mapping: 'heap', pageCount: 3 },
      { do: 'movePages', mapping: 'heap', to: 1 },
      { do: 'expect', answer: 'EPERM', statuses: { 0: 4 } },
      { do: 'expect', mapping: 'heap', byNode: { 0: 4 }, policy: 'bind:1', value: 7 },
    ]);
    const { exitCode, stdout } = await runCommand(['simulate', path]);
    expect(exitCode).toBe(1);
    expect(stdout.slice(stdout.indexOf('5 differences'))).toMatchSnapshot();
  });

  test('on another machine than its own', async () => {
    const { exitCode, stdout } = await runCommand([
      ...['simulate', 'page', '--machine', 'sparse-ids', '--json'],
    ]);
    expect(exitCode).toBe(1); // It has no node 1.
    expect(JSON.parse(stdout).differences[0]).toMatch(/^step 5 \(expect\): answer: expected 0/);
  });
});

describe('what is wrong with a scenario', () => {
  const touch = { do: 'touch', mapping: 'heap' };
  test.each([
    [{ do: 'fly' }, /step 3, do.*must be one of process, thread/],
    [{ do: 'touch' }, /step 3 \(touch\), mapping/],
    [{ ...touch, access: 'eat' }, /step 3 \(touch\), access.*one of read, write/],
    [{ ...touch, mapping: 'stack' }, /mapping.*names no mapping; .*: heap/],
    [{ ...touch, by: 'nobody' }, /step 3 \(touch\), by.*names no process or thread/],
    [{ ...touch, firstPage: 2, pageCount: 3 }, /pageCount.*heap has 4 pages/],
    [{ ...touch, color: 1 }, /step 3 \(touch\), color.*is not known; known are do, by, mapping/],
    [{ do: 'setPolicy', policy: 'bind:all' }, /policy.*nodes by number/],
    [{ do: 'setPolicy', policy: 'prefer:0-1' }, /nodes.*one node/],
    [{ do: 'setPolicy', policy: 'bind:1', strict: true }, /strict.*means nothing without mapping/],
    [{ do: 'expect', byNode: { 0: 1 } }, /byNode.*means nothing without mapping/],
    [{ do: 'expect' }, /step 3 \(expect\).*must have one of answer, statuses/],
    [{ do: 'process', name: 'heap' }, /name.*is taken/],
    [{ do: 'process', name: 'two', cpu: 1, node: 0 }, /must have only one of cpu, node/],
    [{ do: 'meanwhile', behind: 'copy', steps: [{ do: 'fork', name: 'x' }] }, /step 1, do/],
    [{ do: 'setAffinity', node: 3 }, /step 3 \(setAffinity\).*must have CPUs: 0, 1/],
  ])('%j', async (step, message) => {
    const { exitCode, stdout, stderr } = await runCommand([
      'simulate',
      scenarioFile('wrong', [step]),
    ]);
    expect(stderr).toMatch(message);
    expect([exitCode, stdout]).toEqual([2, '']);
  });

  test('a mapping of somebody else, and a migration that never has such a step', async () => {
    const theirs = [
      { do: 'process', name: 'other' },
      { do: 'touch', by: 'other', mapping: 'heap' },
    ];
    const { stderr } = await runCommand(['simulate', scenarioFile('theirs', theirs)]);
    expect(stderr).toMatch(/step 4 \(touch\), mapping.*is not one of other/);
    const never = [{ do: 'meanwhile', behind: 'split', steps: [{ do: 'exit' }] }];
    const ran = await runCommand(['simulate', scenarioFile('never', never)]);
    expect(ran.exitCode).toBe(1);
    expect(ran.stdout).toContain('step 3 (meanwhile): no migration had such a step: split');
  });

  test('no scenario, an unknown one, no JSON, an unknown kernel or machine', async () => {
    const text = join(folder, 'text.json');
    writeFileSync(text, 'touch heap');
    const twice = join(folder, 'twice.json');
    writeFileSync(
      twice,
      '{ "a": "\\":{", "b": [{ "a": 1 }, { "a": 2, "c": { "a": 3 }, "\\u0061": 4 }] }',
    );
    for (const [words, message] of [
      [[], /simulate needs a scenario: a JSON file, or one of busy, child/],
      [['nothing'], /nothing: .*must be a file, or one of busy, child/],
      [['./nowhere.json'], /cannot be read: ENOENT/],
      [[text], /cannot be read: .*JSON/],
      [[twice], /has the member "\\u0061" twice in one object/],
      [['page', '--kernel', '2.6'], /the simulator knows 6.1, 6.12/],
      [['page', '--machine', 'two-services'], /it is a scenario/],
      [['page', '--record', 'x.json', '--trace'], /leave --trace out/],
    ] as const) {
      const { exitCode, stderr } = await runCommand(['simulate', ...words]);
      expect(stderr).toMatch(message);
      expect(exitCode).toBe(2);
    }
  });
});

describe('a scenario as a machine', () => {
  test('has its processes, as its last step leaves them', async () => {
    const words = ['where', '100', '--machine', 'two-services', '--json'];
    const { exitCode, stdout, stderr } = await runCommand(words);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'web' });
  });

  test('has the names of its processes', async () => {
    const { machine } = playScenario(openScenario('two-services'));
    const { backend } = machine.self;
    const { value: names } = (await backend.readNames('/proc')) as { readonly value: string[] };
    const comms = names
      .filter((name) => /^1\d\d$/.test(name))
      .map(async (pid) => [pid, await backend.readText(`/proc/${pid}/comm`)]);
    expect(Object.fromEntries(await Promise.all(comms))).toMatchObject({
      100: { value: 'web\n' },
      101: { value: 'database\n' },
      102: { value: 'reader\n' },
    });
    machine.self.name = 'a name of more than 15 bytes';
    expect(machine.self.name).toBe('a name of more ');
  });

  test('may be one of a file', async () => {
    const path = scenarioFile('machine', [{ do: 'touch', mapping: 'heap' }]);
    const { exitCode, stdout } = await runCommand(['nodes', '--machine', path, '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).backend.kind).toBe('simulator');
    const missing = await runCommand(['nodes', '--machine', 'atlantis']);
    expect(missing.stderr).toMatch(/there are four-nodes,.* and the scenarios busy/);
  });
});

describe('the stepper', () => {
  const play = playScenario(openScenario('writer'), { isWatched: true });
  const colours = new Colours(false);

  test.each([40, 80, 200])('draws no line wider than %i columns, nor more rows', (columns) => {
    for (let at = 0; at < play.frames.length; at += 1) {
      const lines = drawFrame(play, at, { columns, rows: 24 }, colours);
      const wide = lines.filter((line) => line.length > columns);
      expect(wide).toEqual([]);
      if (columns >= 80) expect(lines.length).toBeLessThanOrEqual(24);
    }
  });

  test('shows the entry of a page that is on its way', () => {
    const at = play.frames.findIndex(({ event }) => event?.step === 'copy');
    expect(drawFrame(play, at, { columns: 80, rows: 24 }, colours).join('\n')).toMatchSnapshot();
  });

  test('goes forwards and backwards by keys, and leaves', async () => {
    const shown: number[] = [];
    let printed = '';
    const write = (text: string): void => {
      printed += text;
    };
    const stream = { isTTY: true, columns: 80, write };
    const output = new Output({ stdout: stream, stderr: stream }, {});
    const raw: boolean[] = [];
    const input = Object.assign(new PassThrough(), {
      setRawMode: (isRaw: boolean) => void raw.push(isRaw),
    });
    const draw = (at: number): string[] => {
      shown.push(at);
      return [];
    };
    const interrupts = new Interrupts(process);
    const walk = stepThrough({ count: 15, draw }, { output, input: input as KeyInput }, interrupts);
    for (const key of ['n', ' ', '\u001b[D', '\u001b[F', '\u001b[5~', '\u001b[H', 'p', 'x', 'q']) {
      input.write(key);
      await new Promise(setImmediate);
    }
    await walk;
    expect(shown).toEqual([0, 1, 2, 1, 14, 4, 0, 0]);
    expect(raw).toEqual([true, false]);
    expect(printed.startsWith('\u001b[?1049h') && printed.endsWith('\u001b[?1049l')).toBe(true);
  });
});
