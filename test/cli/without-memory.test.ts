/** Processes of this host without memory of their own, through the commands that take a pid. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { numaCallsUnmet } from '../support/needs.ts';
import { runCommand } from './run-command.ts';

const obstacle = await numaCallsUnmet();
/** The first thread of the kernel, where this is not a PID namespace. */
const KTHREADD = '2';

describe('a process without memory', () => {
  let parent: ChildProcess;
  let zombie = '';

  beforeAll(async () => {
    // The shell becomes a program that never waits for the child, before the child ends.
    const script = 'sleep 0.2 & echo $!; exec sleep 1000';
    parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [text] = await once(parent.stdout as NodeJS.ReadableStream, 'data');
    zombie = `${text}`.trim();
    while (!/\) Z /.test(readFileSync(`/proc/${zombie}/stat`, 'utf8'))) await setTimeout(5);
  });

  afterAll(() => void parent.kill('SIGKILL'));

  beforeEach((context) => {
    if (obstacle !== undefined) context.skip(obstacle);
  });

  function pidOf(kind: string): string | undefined {
    if (kind === 'ended') return zombie;
    try {
      const stat = readFileSync(`/proc/${KTHREADD}/stat`, 'utf8');
      return stat.includes('(kthreadd)') ? KTHREADD : undefined;
    } catch {
      return undefined;
    }
  }

  test.for([
    ['ended', 'it has no memory any more: it has ended'],
    ['kernel-thread', 'it has no memory of its own: it is a thread of the kernel'],
  ] as const)('%s: where, stat and migrate say so', async ([kind, words], context) => {
    const pid = pidOf(kind);
    if (pid === undefined) return context.skip('threads of the kernel are not to be seen here');
    for (const command of ['where', 'stat']) {
      const { exitCode, stdout } = await runCommand([command, pid]);
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`\n${words}`)]);
      const json = JSON.parse((await runCommand([command, pid, '--json'])).stdout);
      expect((json.processes?.[0] ?? json).withoutMemory).toBe(kind);
    }
    const { stdout } = await runCommand(['where', pid, '--maps']);
    expect(stdout).not.toContain('address');
    for (const more of [[], ['--at-once'], ['--dry-run']]) {
      const { exitCode, stderr } = await runCommand(['migrate', pid, '--to', '0', ...more]);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`process ${pid}: ${words}`)]);
    }
  });
});
