/**
 * The program itself, as people start it: `run` becomes the command. Its pid, signals, streams,
 * descriptors, limits and exit status are what the command would have had without it.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseList, readHostMachine } from '../support/host-machine.ts';
import { numaCallsUnmet } from '../support/needs.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const obstacle = existsSync(MAIN) ? await numaCallsUnmet() : 'dist is missing: npm run build:ts';
const machine = await readHostMachine();
const POLL_MS = 20;

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'node-numa-run-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach((context) => {
  if (obstacle !== undefined) context.skip(obstacle);
});

/** `node-numa run` with these words, as words of a shell. */
function run(words: string): string {
  return `'${process.execPath}' '${MAIN}' run ${words}`;
}

function shell(line: string, input = ''): { status: number | null; stdout: string } {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { input, encoding: 'utf8' });
  expect(stderr).toBe('');
  return { status, stdout };
}

/** A command that says that it is there, and then waits. */
function startWaiting(script: string): ChildProcess {
  const words = [MAIN, 'run', '--', 'sh', '-c', `echo ready; ${script}`];
  return spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
}

describe('the command has', () => {
  test('its streams, its words and its exit status', () => {
    const line = run(`sh -c 'cat; echo "$0" "$@"; exit 7' -- --help '' 'a  b' | cat; true`);
    expect(shell(line, 'from stdin\n')).toEqual({
      status: 0,
      stdout: 'from stdin\n-- --help  a  b\n',
    });
    expect(shell(run(`-- sh -c 'exit 7'`)).status).toBe(7);
  });

  test('signals as they are by default, and none that is blocked', () => {
    const { stdout } = shell(run(`-- grep -E 'Sig(Ign|Blk)' /proc/self/status`));
    expect(stdout.match(/[0-9a-f]{16}/g)).toEqual(['0000000000000000', '0000000000000000']);
  });

  test('descriptors that its parent meant for it, and none of Node', () => {
    const file = join(folder, 'inherited');
    writeFileSync(file, 'from a file\n');
    const list = 'cat <&7; ls /proc/$$/fd; true';
    const { stdout } = shell(`exec 7<'${file}'; exec ${run(`-- sh -c '${list}'`)}`);
    const { stdout: without } = shell(`exec 7<'${file}'; exec sh -c '${list}'`);
    expect(without).toMatch(/^from a file\n0\n1\n2\n/);
    expect(stdout).toBe(without);
  });

  test('streams that block', () => {
    const { stdout } = shell(`${run(`-- sh -c 'cat /proc/$$/fdinfo/1'`)} | cat`);
    const flags = Number.parseInt(/flags:\s+(\d+)/.exec(stdout)?.[1] ?? '', 8);
    expect(flags & 0o4000).toBe(0);
  });

  test('the limit on descriptors that its parent has', () => {
    const { stdout } = shell(`ulimit -Sn 256; ${run(`-- sh -c 'ulimit -Sn; ulimit -Hn'`)}; true`);
    const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    expect(stdout.split('\n').slice(0, 2)).toEqual(['256', hard?.[1]]);
  });

  test('its words as bytes, and a shell where it names none', () => {
    const script = join(folder, 'script');
    writeFileSync(script, 'printf %s "$1" | od -An -tx1\n');
    chmodSync(script, 0o755);
    const bytes = '"$(printf \'a\\377b\')"';
    expect(shell(run(`'${script}' ${bytes}`)).stdout.trim()).toBe('61 ff 62');
  });

  test.for(['--cpus', '--cpu-nodes'])('the CPUs of %s, and tells them inside', (option) => {
    const [cpu = 0] = parseList(cpusAllowed()).slice(-1);
    const home = machine.topology.nodes.find((node) => node.cpus.includes(cpu));
    const list = option === '--cpus' ? cpu : home?.id;
    const { stdout } = shell(run(`${option} ${list} --policy local -- ${run('--show --json')}`));
    const { policy, cpus, cpuNodes } = JSON.parse(stdout);
    expect(policy).toEqual({ mode: 'local', nodes: '', flags: [] });
    expect(cpuNodes).toBe(`${home?.id}`);
    expect(parseList(cpus)).toEqual(option === '--cpus' ? [cpu] : home?.cpus);
  });

  test('its terminal', (context) => {
    if (!existsSync('/usr/bin/script')) context.skip('script(1) is not installed here');
    const command = run(`-- sh -c 'test -t 0 && test -t 1 && test -t 2 && echo a terminal'`);
    const words = ['-qec', command, '/dev/null'];
    const { stdout, status } = spawnSync('script', words, { encoding: 'utf8', input: '' });
    expect([status, stdout.trim()]).toEqual([0, 'a terminal']);
  });
});

function cpusAllowed(): string {
  const status = readFileSync('/proc/self/status', 'utf8');
  const allowed = parseList(/^Cpus_allowed_list:\s+(\S+)/m.exec(status)?.[1] ?? '0');
  const online = machine.topology.nodes.flatMap((node) => node.cpus);
  return allowed.filter((cpu) => online.includes(cpu)).join(',');
}

describe('the command gets', () => {
  test('the signals: SIGTERM ends it', async () => {
    const child = startWaiting('exec sleep 1000');
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    while (readFileSync(`/proc/${child.pid}/comm`, 'utf8') !== 'sleep\n') {
      await setTimeout(POLL_MS);
    }
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
    const { status } = shell(`exec 2>/dev/null; ${run(`-- sh -c 'kill -TERM $$'`)}; exit $?`);
    expect(status).toBe(143);
  });

  test('the signals: its own handler has the last word', async () => {
    const child = startWaiting('trap "exit 5" TERM; while :; do sleep 0.05; done');
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    await setTimeout(POLL_MS);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([5, null]);
  });

  test('SIGPIPE from a pipe that is closed', () => {
    const { stdout } = shell(`{ { ${run('-- yes')}; echo $? >&3; } | head -n 1; } 3>&1`);
    expect(stdout.trim().split('\n').sort()).toEqual(['141', 'y']);
  });
});

describe('nothing is started', () => {
  test.each([
    ['--memory-nodes 999', 2],
    ['--cpus 8000', 2],
    ['--policy none', 2],
    ['--machine four-nodes', 2],
  ])('with %s: exit status %i', (words, status) => {
    const started = join(folder, 'started');
    const line = `${run(`${words} -- touch '${started}'`)} 2>/dev/null`;
    expect(shell(line)).toEqual({ status, stdout: '' });
    expect(existsSync(started)).toBe(false);
  });
});
