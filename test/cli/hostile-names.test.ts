/**
 * Names and words of others through every command: nothing that a terminal obeys comes out of it.
 * The rows are held against the program's own list of commands.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import stringWidth from 'string-width';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { commands } from '../../lib/cli/commands/index.ts';
import { inGuest } from '../support/environment.ts';
import { numaCallsUnmet } from '../support/needs.ts';
import { HOSTILE, HOSTILE_FILE, obeyedIn, writtenOut } from './hostile.ts';
import { runCommand } from './run-command.ts';

const FOLDER = mkdtempSync(join(tmpdir(), `node-numa-${HOSTILE_FILE}`));
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** A program that works under any name, and waits. */
const SLEEP = '/usr/bin/sleep';
const nativeObstacle =
  inGuest || !existsSync(SLEEP) ? `there is no ${SLEEP} of its own here` : await numaCallsUnmet();

afterAll(() => rmSync(FOLDER, { recursive: true }));

function file(name: string, content: unknown): string {
  const path = join(FOLDER, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const MACHINE = {
  name: HOSTILE,
  description: HOSTILE,
  nodes: [0, 1].map((id) => ({ id, memoryMiB: 64, cpus: [id] })),
  distances: [
    [10, 20],
    [20, 10],
  ],
};
const SCENARIO = {
  format: 1,
  name: 'hostile',
  summary: HOSTILE.replaceAll('\n', ''),
  machine: MACHINE,
  steps: [
    { do: 'process', name: 'owner', node: 0 },
    { do: 'map', name: 'heap', pageCount: 4 },
    { do: 'touch', mapping: 'heap' },
    { do: 'expect', mapping: 'heap', policy: 'bind:1' },
  ],
};
const machine = file('machine.json', MACHINE);
const scenario = file('scenario.json', SCENARIO);
const broken = file('broken.json', `{ "name": "${HOSTILE}" ${HOSTILE}`);
const strange = file('strange.json', { ...MACHINE, [HOSTILE]: 1 });
const strangeStep = file('strange-step.json', {
  ...SCENARIO,
  steps: [{ do: HOSTILE }, { [HOSTILE]: 1 }],
});

interface Row {
  /** Command lines on simulated machines and files. */
  readonly simulated: readonly (readonly string[])[];
  /** Command lines about a process of this host. */
  readonly native?: (pid: string) => readonly (readonly string[])[];
  /** It has words of its own only. */
  readonly isOurs?: boolean;
}

const MACHINES = [machine, scenario, broken, strange, strangeStep, HOSTILE, `./${HOSTILE}`];
const onMachines = (...words: string[]): string[][] =>
  MACHINES.map((name) => [...words, '--machine', name]);

const ROWS: Readonly<Record<string, Row>> = {
  nodes: { simulated: onMachines() },
  where: {
    simulated: onMachines('100'),
    native: (pid) => [[pid], [pid, '--maps', '--top', '100'], [pid, '--mapping', 'kind=file']],
  },
  top: {
    simulated: [],
    native: () => [
      ['--count', '100000'],
      ['--sort', 'cpu'],
    ],
  },
  stat: {
    simulated: [...onMachines(), ['--since', broken], ['--since', strange], ['--since', FOLDER]],
    native: (pid) => [[pid], [pid, '4000000']],
  },
  migrate: {
    simulated: onMachines('100', '--to', '1'),
    native: (pid) => [
      [pid, '--to', '0', '--dry-run'],
      [pid, '--to', '0', '--mapping', `file=${HOSTILE}`],
    ],
  },
  run: {
    simulated: [
      ['--', HOSTILE],
      ['--', `/${HOSTILE}`],
      ['--memory-nodes', HOSTILE, 'true'],
    ],
  },
  doctor: { simulated: onMachines() },
  simulate: {
    simulated: [
      ...MACHINES.map((name) => [name]),
      [scenario, '--trace'],
      ['page', '--machine', machine],
      ['page', '--machine', strange],
      ['page', '--record', `${FOLDER}/nowhere/${HOSTILE}`],
    ],
  },
  completion: { simulated: [['bash'], ['zsh'], ['fish'], [HOSTILE]], isOurs: true },
  man: { simulated: [[], [HOSTILE]], isOurs: true },
};

/** Each option of a command with such a value, an unknown one, and arguments too many. */
function wrongWords(name: string): string[][] {
  const spec = commands.find((command) => command.name === name);
  const valued = (spec?.options ?? []).filter((option) => !option.isBoolean());
  const longs = [...valued.map(({ long }) => long as string), '--color', '--machine', '--kernel'];
  const args = (spec?.args ?? []).some(({ flags }) => flags.startsWith('<')) ? ['100'] : [];
  const to = name === 'migrate' ? ['--to', '1'] : [];
  return [
    [HOSTILE, ...to],
    [`--${HOSTILE}`],
    [...args, HOSTILE, HOSTILE, ...to],
    ...longs.map((long) => [...args, long, HOSTILE]),
    ...longs.map((long) => [...args, ...to, `${long}=${HOSTILE}`]),
  ];
}

/** Runs it plain and painted; nothing that a terminal obeys is in it. Gives both texts. */
async function expectHarmless(words: readonly string[], columns?: number): Promise<string[]> {
  const size = columns === undefined ? {} : { columns };
  const texts: string[] = [];
  for (const when of ['never', 'always']) {
    const [name = '', ...rest] = words;
    const { stdout, stderr } = await runCommand([name, '--color', when, ...rest], size);
    const isPainted = when === 'always';
    expect([words, obeyedIn(stdout + stderr, { isPainted })]).toEqual([words, undefined]);
    texts.push(stdout + stderr);
  }
  return texts;
}

describe('words and files of others', () => {
  test('every command has a row', () => {
    expect(Object.keys(ROWS).sort()).toEqual(commands.map(({ name }) => name).sort());
  });

  test.each(commands.map(({ name }) => name))('%s', { timeout: 60_000 }, async (name) => {
    const { simulated, isOurs = false } = ROWS[name] as Row;
    let count = 0;
    for (const words of [...simulated, ...wrongWords(name)]) {
      const [plain = '', painted = ''] = await expectHarmless([name, ...words]);
      expect([words, writtenOut(painted)]).toEqual([words, writtenOut(plain)]);
      count += writtenOut(plain);
    }
    // Otherwise the rows would prove nothing.
    if (!isOurs) expect(count).toBeGreaterThan(0);
  });

  test('a fault of the program that quotes them', () => {
    const preload = file(
      'fault.mjs',
      `import fs from 'node:fs';
       import { syncBuiltinESMExports } from 'node:module';
       fs.read = () => { throw new Error(${JSON.stringify(HOSTILE)}); };
       syncBuiltinESMExports();`,
    );
    const url = pathToFileURL(preload).href;
    const words = ['--import', url, MAIN, 'where', `${process.pid}`];
    const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    expect(obeyedIn(stderr)).toBeUndefined();
    if (nativeObstacle !== undefined) return;
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^fault of node-numa .*\\x1b/)]);
  });

  test('the program itself', async () => {
    for (const words of [[HOSTILE], [`--${HOSTILE}`], ['help', HOSTILE], ['node', HOSTILE]]) {
      const { stdout, stderr } = await runCommand(words);
      expect([words, obeyedIn(stdout + stderr)]).toEqual([words, undefined]);
    }
  });
});

describe('a process of this host with such a name, and such a file', () => {
  let child: ChildProcess | undefined;
  let pid = '';

  beforeAll(async () => {
    if (nativeObstacle !== undefined) return;
    const program = join(FOLDER, HOSTILE_FILE);
    copyFileSync(SLEEP, program);
    child = spawn(program, ['1000'], { stdio: 'ignore' });
    pid = `${child.pid}`;
    while (!readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('e\n')) await setTimeout(5);
  });

  beforeEach((context) => {
    if (nativeObstacle !== undefined) context.skip(nativeObstacle);
  });

  afterAll(() => void child?.kill('SIGKILL'));

  const rows = Object.entries(ROWS).flatMap(([name, { native }]) => {
    return native === undefined ? [] : [[name, native] as const];
  });

  test.each(rows)('%s', { timeout: 60_000 }, async (name, native) => {
    for (const words of native(pid)) {
      const about = (text: string): string[] =>
        text.split('\n').filter((line) => line.includes(pid) || line.includes('\\x1b'));
      const [plain = '', painted = ''] = await expectHarmless([name, ...words], 70);
      const count = writtenOut(about(plain).join('\n'));
      expect([words, writtenOut(about(painted).join('\n'))]).toEqual([words, count]);
      const wide = about(plain).filter((line) => stringWidth(line) > 70);
      expect([words, wide.filter((line) => /^ *[\da-f]+ {2}/.test(line))]).toEqual([words, []]);
      const { stdout } = await runCommand([name, ...words, '--json']);
      expect([words, obeyedIn(stdout)]).toEqual([words, undefined]);
    }
  });

  test('has its exact name in JSON, and a row of its own in text', async () => {
    const name = readFileSync(`/proc/${pid}/comm`, 'utf8').slice(0, -1);
    const { stdout } = await runCommand(['where', pid, '--maps', '--json']);
    const json = JSON.parse(stdout) as { name: string; mappings: { name: string | null }[] };
    expect(json.name).toBe(name);
    expect(json.mappings.map((mapping) => mapping.name)).toContain(join(FOLDER, HOSTILE_FILE));
    const text = (await runCommand(['top', '--count', '100000'])).stdout;
    expect(text).toMatch(new RegExp(`^ *${pid} .* e\\\\n\\\\x1b\\[2J\\\\x9b31m`, 'm'));
  });
});
