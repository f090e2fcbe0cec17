/**
 * Puppets without a round trip for each call: lines are written as they come, many at once, and
 * the puppet answers them in order. The contract's own channel sends one at a time.
 */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { World, WorldProcess } from '../contract/world.ts';
import { PUPPET_BINARY } from '../puppet/build.mjs';
import type { PuppetChannel, Reply } from '../puppet/channel.ts';
import { PuppetProcess } from '../puppet/puppet-process.ts';
import { scaledTimeoutMs } from '../support/environment.ts';
import { readHostMachine } from '../support/host-machine.ts';

const REPLY_TIMEOUT_MS = scaledTimeoutMs(10_000);

interface Waiting {
  resolve(reply: Reply): void;
  reject(reason: Error): void;
}

class PipelinedChannel {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: Waiting[] = [];
  readonly #watchdog: NodeJS.Timeout;
  #answered = 0;
  #firstWaiting = 0;
  #unsent = '';
  #unread = '';
  #failure: Error | undefined;

  constructor() {
    this.#child = spawn(PUPPET_BINARY, [], { stdio: 'pipe', env: {} });
    this.#child.stdout.setEncoding('latin1').on('data', (text: string) => this.#read(text));
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', (error) => this.#fail(error));
    this.#child.on('exit', () => this.#fail(new Error('the puppet has ended')));
    let seen = -1;
    this.#watchdog = setInterval(() => {
      if (seen === this.#answered && this.#waiting.length > this.#firstWaiting) {
        this.#fail(new Error(`the puppet has not answered for ${REPLY_TIMEOUT_MS} ms`));
        this.#child.kill('SIGKILL');
      }
      seen = this.#answered;
    }, REPLY_TIMEOUT_MS);
    this.#watchdog.unref();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  send(line: string): Promise<Reply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#unsent === '') setImmediate(() => this.#flush());
    this.#unsent += `${line}\n`;
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async close(): Promise<void> {
    clearInterval(this.#watchdog);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    await ended;
  }

  #flush(): void {
    this.#child.stdin.write(this.#unsent);
    this.#unsent = '';
  }

  #read(text: string): void {
    const lines = (this.#unread + text).split('\n');
    this.#unread = lines.pop() as string;
    for (const line of lines) {
      const [word, ...rest] = line.split(' ');
      const reply =
        word === 'ok'
          ? { errno: 0, values: rest }
          : { errno: Number(rest[0]), values: rest.slice(1) };
      this.#waiting[this.#firstWaiting++]?.resolve(reply);
      this.#answered += 1;
    }
    if (this.#firstWaiting < this.#waiting.length) return;
    this.#waiting.length = 0;
    this.#firstWaiting = 0;
  }

  #fail(reason: Error): void {
    clearInterval(this.#watchdog);
    this.#failure ??= reason;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
    this.#firstWaiting = 0;
  }
}

/** A world of this kernel whose processes take many calls at once. */
export async function openPipelinedWorld(): Promise<World> {
  const machine = readHostMachine();
  const channel = new PipelinedChannel();
  // A puppet's process needs nothing of its channel but `send`.
  const asChannel = channel as unknown as PuppetChannel;
  const origin = new PuppetProcess(asChannel, '', channel.pid, machine.pageSizeBytes);
  return {
    machine,
    spawn: (): Promise<WorldProcess> => origin.fork(),
    close: (): Promise<void> => channel.close(),
  };
}
