// @ts-check
// A guest that stays up and serves one program, afresh to each who connects: a socket of this
// machine leads to the program's input and output. So JavaScript stays outside, on a CPU that
// nobody emulates, and asks the guest's kernel by lines.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runGuest } from './guest.mjs';

/** The guest's port that carries the program's input and output. */
const portInGuest = '/dev/channel';
/** Written before the program starts; no program says it at the beginning of a line. */
const ready = 'node-numa-serves';

/**
 * @typedef {object} Service
 * @property {string} program path of a static one in the project, all that the guest has; ends when
 *   it reads `exit`
 * @property {(socket: string) => Promise<void>} use the guest is up until this resolves; `socket`
 *   takes one connection at a time, the next waits
 */

/**
 * @param {Omit<import('./guest.mjs').GuestOptions, 'command' | 'onStdout' | 'onBegin'>} options
 * @param {Service} service
 * @returns {Promise<void>} rejects with what `use` threw, else with the GuestError if the guest
 *   ended before
 */
export async function withServingGuest(options, { program, use }) {
  const folder = mkdtempSync(join(tmpdir(), 'node-numa-port-'));
  const path = join(folder, 'port');
  const bridge = new Bridge();
  const server = createServer((socket) => bridge.take(socket));
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, ...(options.signal ? [options.signal] : [])]);
  try {
    await new Promise((resolve) => server.listen(path, () => resolve(undefined)));
    // Opened once: a virtio port has one holder at a time.
    const serving = `exec <>${portInGuest} >&0; while echo ${ready}; do ${program}; done`;
    const guest = runGuest({
      ...options,
      program,
      command: ['sh', '-c', serving],
      onStdout: (chunk) => bridge.receive(chunk),
      onBegin: (write) => bridge.begin(write),
      signal,
    });
    // Its end is bad news as long as it is in use, and nobody's afterwards.
    const ended = guest.then(() => Promise.reject(new Error('the guest has ended')));
    try {
      await Promise.race([use(path), ended]);
    } finally {
      over.abort();
      await ended.catch(() => {});
    }
  } finally {
    bridge.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Passes bytes between the guest's program and the one who is connected. */
class Bridge {
  /** @type {((chunk: Buffer | string) => void) | undefined} */
  #write;
  /** What the guest has said before a program was ready. */
  #unread = '';
  #isReady = false;
  /** @type {import('node:net').Socket[]} the first is being served */
  #sockets = [];

  /** @param {(chunk: Buffer | string) => void} write */
  begin(write) {
    // A kernel that died takes its program along: who talked with that has nobody any more.
    if (this.#write !== undefined) this.#sockets.shift()?.destroy();
    this.#write = write;
    this.#isReady = false;
    this.#unread = '';
  }

  /** @param {Buffer} chunk */
  receive(chunk) {
    if (this.#isReady) {
      this.#sockets[0]?.write(chunk);
      return;
    }
    this.#unread += chunk.toString('latin1');
    if (!this.#unread.endsWith(`${ready}\n`)) return;
    this.#unread = '';
    this.#isReady = true;
    this.#serve();
  }

  /** @param {import('node:net').Socket} socket */
  take(socket) {
    socket.pause();
    socket.on('error', () => {});
    socket.on('close', () => this.#leave(socket));
    this.#sockets.push(socket);
    if (this.#sockets.length === 1) this.#serve();
  }

  close() {
    for (const socket of this.#sockets.splice(0)) socket.destroy();
  }

  #serve() {
    const [socket] = this.#sockets;
    if (!this.#isReady || socket === undefined) return;
    socket.on('data', (chunk) => this.#write?.(chunk));
    socket.resume();
  }

  /**
   * The next one gets a program of its own.
   * @param {import('node:net').Socket} socket
   */
  #leave(socket) {
    const wasServed = this.#sockets[0] === socket;
    this.#sockets = this.#sockets.filter((one) => one !== socket);
    if (!wasServed || !this.#isReady) return;
    this.#isReady = false;
    this.#write?.('exit\n');
  }
}
