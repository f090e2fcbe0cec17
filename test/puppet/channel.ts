/**
 * The line to a running puppet: one command at a time, one reply for each. The puppet is a process
 * of this machine, or of a guest that serves one on its port (scripts/guest/serving-guest.mjs). One
 * that does not answer in time is given up, and with it every process that it forked.
 */

import { spawn } from 'node:child_process';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { isEmulated } from '../support/environment.ts';

const REPLY_TIMEOUT_MS = isEmulated ? 120_000 : 15_000;

/** A reply cut into its words. */
export interface Reply {
  /** 0 for `ok`. */
  readonly errno: number;
  readonly values: readonly string[];
}

/** Takes lines to a puppet and brings its replies. */
export interface Line {
  send(line: string): Promise<Reply>;
}

interface Waiting {
  readonly line: string;
  resolve(reply: Reply): void;
  reject(reason: Error): void;
}

/** Where a puppet's commands go in and its replies come out. */
interface Wire {
  readonly commands: Writable;
  readonly replies: Readable;
  /** Why no more replies will come. */
  readonly ended: Promise<Error>;
  /** Without waiting for the puppet. */
  cut(): void;
}

function parseReply(line: string): Reply {
  const [word, ...rest] = line.split(' ');
  if (word === 'ok') return { errno: 0, values: rest };
  return { errno: Number(rest[0]), values: rest.slice(1) };
}

function wireToProgram(binary: string): Wire {
  const child = spawn(binary, [], { stdio: 'pipe', env: {} });
  const ended = new Promise<Error>((resolve) => {
    child.on('error', resolve);
    child.on('exit', (code, signal) =>
      resolve(new Error(`the puppet ended: ${signal ?? `exit code ${code}`}`)),
    );
  });
  const { stdin: commands, stdout: replies } = child;
  return { commands, replies, ended, cut: () => void child.kill('SIGKILL') };
}

function wireToPort(path: string): Wire {
  const socket = createConnection(path);
  const ended = new Promise<Error>((resolve) => {
    socket.on('error', resolve);
    socket.on('close', () => resolve(new Error('the guest ended')));
  });
  return { commands: socket, replies: socket, ended, cut: () => void socket.destroy() };
}

export class PuppetChannel implements Line {
  readonly #wire: Wire;
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #failure: Error | undefined;

  private constructor(wire: Wire) {
    this.#wire = wire;
    createInterface({ input: wire.replies }).on('line', (line) => this.#settle(line));
    wire.commands.on('error', () => {});
    void wire.ended.then((reason) => this.#fail(reason));
  }

  /** Starts the program on this machine. */
  static start(binary: string): PuppetChannel {
    return new PuppetChannel(wireToProgram(binary));
  }

  /** To the puppet that a guest serves on a socket. */
  static connect(path: string): PuppetChannel {
    return new PuppetChannel(wireToPort(path));
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
    if (this.#failure !== undefined) return;
    this.#wire.commands.end();
    await this.#wire.ended;
  }

  #write(): void {
    const { line } = this.#waiting[0] as Waiting;
    this.#timer = setTimeout(() => {
      this.#fail(new Error(`no reply within ${REPLY_TIMEOUT_MS} ms: ${line.slice(0, 200)}`));
      this.#wire.cut();
    }, REPLY_TIMEOUT_MS);
    this.#wire.commands.write(`${line}\n`);
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
