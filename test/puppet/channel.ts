/**
 * The line to a running puppet: one command at a time, one reply for each. A puppet that does
 * not answer in time is killed, and with it every process that it forked.
 */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { inGuest } from '../support/environment.ts';

const REPLY_TIMEOUT_MS = inGuest ? 120_000 : 15_000;

/** A reply cut into its words. */
export interface Reply {
  /** 0 for `ok`. */
  readonly errno: number;
  readonly values: readonly string[];
}

interface Waiting {
  readonly line: string;
  resolve(reply: Reply): void;
  reject(reason: Error): void;
}

function parseReply(line: string): Reply {
  const [word, ...rest] = line.split(' ');
  if (word === 'ok') return { errno: 0, values: rest };
  return { errno: Number(rest[0]), values: rest.slice(1) };
}

export class PuppetChannel {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #failure: Error | undefined;

  constructor(binary: string) {
    this.#child = spawn(binary, [], { stdio: 'pipe', env: {} });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#settle(line));
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', (error) => this.#fail(error));
    this.#child.on('exit', (code, signal) =>
      this.#fail(new Error(`the puppet ended: ${signal ?? `exit code ${code}`}`)),
    );
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  send(line: string): Promise<Reply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, resolve, reject });
      if (this.#waiting.length === 1) this.#write();
    });
  }

  /** Ends the puppet and what it forked. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    await ended;
  }

  #write(): void {
    const { line } = this.#waiting[0] as Waiting;
    this.#timer = setTimeout(() => {
      this.#fail(new Error(`no reply within ${REPLY_TIMEOUT_MS} ms: ${line.slice(0, 200)}`));
      this.#child.kill('SIGKILL');
    }, REPLY_TIMEOUT_MS);
    this.#child.stdin.write(`${line}\n`);
  }

  #settle(line: string): void {
    clearTimeout(this.#timer);
    this.#waiting.shift()?.resolve(parseReply(line));
    if (this.#waiting.length > 0) this.#write();
  }

  #fail(reason: Error): void {
    clearTimeout(this.#timer);
    this.#failure ??= reason;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
