/**
 * Every command is ended by a signal in the middle of long work, and whoever waits for it sees by
 * which: blocked in a call, waiting for a slow kernel, drawing again and again. The terminal is as
 * it was before.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { commands } from '../../lib/cli/commands/index.ts';
import { scaledTimeoutMs } from '../support/environment.ts';
import { numaCallsUnmet } from '../support/needs.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const SLOW_FILES = new URL('./workers/slow-files.mjs', import.meta.url).href;
const obstacle = await numaCallsUnmet();
const FOLDER = mkdtempSync(join(tmpdir(), 'node-numa-signals-'));
/** A file that nobody writes: reading it blocks. */
const FIFO = join(FOLDER, 'fifo.json');
spawnSync('mkfifo', [FIFO]);
afterAll(() => rmSync(FOLDER, { recursive: true }));

/** What a signal takes at most. */
const SOON_MS = scaledTimeoutMs(1000);
const POLL_MS = 10;

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';
const SIGNALS: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

interface Row {
  /** Blocked in a system call of the JavaScript thread. */
  readonly blocked?: readonly (readonly string[])[];
  /** Waiting for files of this host. */
  readonly waiting?: readonly (readonly string[])[];
  /** Goes on until it is ended. */
  readonly endless?: readonly (readonly string[])[];
  /** Why it has no long work. */
  readonly isShort?: string;
}

const SELF = `${process.pid}`;
/** A scenario that any host can do. */
const SCENARIO = join(FOLDER, 'scenario.json');
const STEPS = [
  { do: 'process', name: 'owner' },
  { do: 'map', name: 'heap', pageCount: 1 },
];
const HEAD = { format: 1, name: 'any', summary: 'One page.', machine: 'four-nodes' };
writeFileSync(SCENARIO, JSON.stringify({ ...HEAD, steps: STEPS }));
const ROWS: Readonly<Record<string, Row>> = {
  nodes: { blocked: [['--machine', FIFO]], waiting: [[]] },
  where: {
    blocked: [['100', '--machine', FIFO]],
    waiting: [[SELF, '--maps']],
    endless: [['101', '--machine', 'two-services', '--watch', '0.01']],
  },
  top: { waiting: [['--json']], endless: [['--watch', '0.01']] },
  stat: {
    blocked: [['--since', FIFO]],
    waiting: [[SELF]],
    endless: [['--machine', 'four-nodes', '--watch', '0.01']],
  },
  migrate: {
    blocked: [['100', '--to', '1', '--at-once', '--machine', FIFO]],
    waiting: [[SELF, '--to', '0']],
  },
  run: { isShort: 'it becomes the command: run-program.test.ts' },
  doctor: { blocked: [['--machine', FIFO]], waiting: [[]] },
  simulate: { blocked: [[FIFO]], waiting: [[SCENARIO, '--record', join(FOLDER, 'record.json')]] },
  completion: { isShort: 'it prints text that it has' },
  man: { isShort: 'it prints text that it has' },
};

function start(words: readonly string[], options: readonly string[] = []): ChildProcess {
  return spawn(process.execPath, [...options, MAIN, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Sends a signal, and gives what whoever waits for the process sees of its end. */
async function endBy(child: ChildProcess, signal: Signal): Promise<unknown[]> {
  const ended = once(child, 'exit');
  child.kill(signal);
  const late = setTimeout(SOON_MS, ['it goes on']);
  const seen = await Promise.race([ended, late]);
  child.kill('SIGKILL');
  return seen;
}

/** The other end of the pipe, as soon as somebody reads. Source: fifo(7), ENXIO. */
async function openForReader(): Promise<number> {
  for (;;) {
    try {
      return openSync(FIFO, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
      await setTimeout(POLL_MS);
    }
  }
}

async function endBlocked(words: readonly string[], signal: Signal): Promise<unknown[]> {
  const child = start(words);
  const end = await openForReader();
  const seen = await endBy(child, signal);
  closeSync(end);
  return seen;
}

async function endAfterOutput(
  words: readonly string[],
  signal: Signal,
  options: readonly string[] = [],
): Promise<unknown[]> {
  const child = start(words, options);
  const { stdout, stderr } = child as {
    stdout: NodeJS.ReadableStream;
    stderr: NodeJS.ReadableStream;
  };
  await Promise.race([once(stdout, 'data'), once(stderr, 'data'), once(child, 'exit')]);
  return endBy(child, signal);
}

describe('every command', () => {
  test('has a row', () => {
    expect(Object.keys(ROWS).sort()).toEqual(commands.map(({ name }) => name).sort());
    const hasNone = ({ blocked, waiting, endless, isShort }: Row): boolean =>
      [blocked, waiting, endless, isShort].every((part) => part === undefined);
    expect(Object.entries(ROWS).filter(([, row]) => hasNone(row))).toEqual([]);
  });

  const rows = Object.entries(ROWS).flatMap(([name, { blocked, waiting, endless }]) => [
    ...(blocked ?? []).map((words) => ({ how: 'blocked', words: [name, ...words] })),
    ...(waiting ?? []).map((words) => ({ how: 'waiting', words: [name, ...words] })),
    ...(endless ?? []).map((words) => ({ how: 'endless', words: [name, ...words] })),
  ]);

  test.for(rows.map((row, at) => ({ ...row, signal: SIGNALS[at % 3] as Signal })))(
    '$words, $how: $signal ends it',
    { timeout: scaledTimeoutMs(20_000) },
    async ({ how, words, signal }, context) => {
      if (how === 'waiting' && obstacle !== undefined) context.skip(obstacle);
      if (words[0] === 'top' && obstacle !== undefined) context.skip(obstacle);
      if (how === 'blocked') expect(await endBlocked(words, signal)).toEqual([null, signal]);
      else {
        const options = how === 'waiting' ? ['--import', SLOW_FILES] : [];
        expect(await endAfterOutput(words, signal, options)).toEqual([null, signal]);
      }
    },
  );
});

test('migrate says what it has moved, and ends with 3', async () => {
  const words = ['--to', '2', '--pause-budget', '0.001', '--machine', 'two-services'];
  const child = start(['migrate', '100', ...words]);
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    if (text === '') child.kill('SIGTERM');
    text += part;
  });
  expect(await once(child, 'close')).toEqual([3, null]);
  expect(text).toMatch(/^plan: /m);
  expect(text).toMatch(/^interrupted: .* moved in/m);
});

describe('the terminal', () => {
  /** Runs it in a terminal of its own; the shell around it tells the status, and the settings. */
  async function inTerminal(
    words: readonly string[],
    end: (child: ChildProcess, pid: number) => void,
  ): Promise<string> {
    const pidFile = join(FOLDER, 'pid');
    const program = [process.execPath, MAIN, ...words].map((word) => `'${word}'`).join(' ');
    const started = `sh -c 'echo $$ >${pidFile}; exec "$@"' sh ${program}`;
    const line = `trap : INT; ${started}; echo "status $?"; stty -a`;
    const child = spawn('script', ['-qec', line, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let text = '';
    let isAsked = false;
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      // It has drawn something on its own screen.
      if (isAsked || !text.includes('[?1049h') || !text.includes('\n')) return;
      isAsked = true;
      end(child, Number(readFileSync(pidFile, 'utf8')));
    });
    await once(child, 'close');
    return text;
  }

  const byKey = (key: string) => (child: ChildProcess) => void child.stdin?.write(key);
  const bySignal = (signal: Signal) => (_: ChildProcess, pid: number) =>
    void process.kill(pid, signal);
  const MACHINE = ['--machine', 'two-services'];

  test.for<[string, string[], (child: ChildProcess, pid: number) => void, number]>([
    ['Ctrl-C', ['where', '101', '--watch', ...MACHINE], byKey('\u0003'), 130],
    ['SIGHUP', ['where', '101', '--watch', ...MACHINE], bySignal('SIGHUP'), 129],
    ['Ctrl-C', ['simulate', 'page', '--step'], byKey('\u0003'), 130],
    ['SIGTERM', ['simulate', 'page', '--step'], bySignal('SIGTERM'), 143],
    ['q', ['simulate', 'page', '--step'], byKey('q'), 0],
  ])('is as before after %s: %j', { timeout: scaledTimeoutMs(20_000) }, async (row, context) => {
    if (!existsSync('/usr/bin/script')) context.skip('script(1) is not installed here');
    const [, words, end, status] = row;
    const text = await inTerminal(words, end);
    expect(text).toMatch(new RegExp(`\\u001b\\[\\?1049l[^\\u001b]*status ${status}\\r\\n`));
    expect(text).toMatch(/ icanon /);
    expect(text).toMatch(/ echo /);
  });
});
