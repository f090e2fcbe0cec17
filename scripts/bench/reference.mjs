// @ts-check
// The C reference in two forms with one interface: in this process, on the very pages that the
// package works on, and as a small process of its own. Both time themselves; times are nanoseconds.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** @typedef {import('node-numa').MappedBuffer} MappedBuffer */

/**
 * @typedef {object} Reference
 * @property {(to: number, chunk?: number) => Promise<number>} move all pages by move_pages, `chunk`
 *   pages in each call (default: all)
 * @property {(to: number) => Promise<number>} mbind all pages by one mbind
 * @property {(chunk?: number) => Promise<number>} locate asks where the pages are
 */

/**
 * What addon.c exports.
 * @typedef {object} ReferenceAddon
 * @property {(address: bigint, pageCount: number, chunk: number, node: number) => number} move
 * @property {(address: bigint, pageCount: number, chunk: number) => number} locate
 * @property {(address: bigint, pageCount: number, node: number) => number} mbind
 */

const folder = new URL('../../build/bench/', import.meta.url);

/**
 * The reference on a buffer's own pages.
 * @param {MappedBuffer} buffer
 * @returns {Reference}
 */
export function referenceOn({ address, pageCount }) {
  /** @type {ReferenceAddon} */
  const addon = createRequire(import.meta.url)(fileURLToPath(new URL('reference.node', folder)));
  return {
    move: async (to, chunk = pageCount) => checked(addon.move(address, pageCount, chunk, to)),
    mbind: async (to) => checked(addon.mbind(address, pageCount, to)),
    locate: async (chunk = pageCount) => checked(addon.locate(address, pageCount, chunk)),
  };
}

/** The reference as a process that is told over a pipe what to do. */
export class ReferenceProcess {
  #child = spawn(fileURLToPath(new URL('reference', folder)), {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  #lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  #pageCount = 0;

  /**
   * Maps and fills pages on a node, in place of the mapping before.
   * @param {number} pageCount
   * @param {number} node
   */
  async map(pageCount, node) {
    this.#pageCount = pageCount;
    await this.#run('map', pageCount, node);
  }

  /** @type {Reference['move']} */
  move(to, chunk = this.#pageCount) {
    return this.#run('move', chunk, to);
  }

  /** @type {Reference['mbind']} */
  mbind(to) {
    return this.#run('mbind', to);
  }

  /** @type {Reference['locate']} */
  locate(chunk = this.#pageCount) {
    return this.#run('locate', chunk);
  }

  /** Lets the process end. */
  close() {
    this.#child.stdin.end();
  }

  /**
   * @param {string} name
   * @param {number[]} parameters
   */
  async #run(name, ...parameters) {
    this.#child.stdin.write(`${[name, ...parameters].join(' ')}\n`);
    const { value } = await this.#lines.next();
    if (value === undefined) throw new Error('the reference process has ended');
    return checked(Number(value));
  }
}

/**
 * @param {number} ns
 * @returns {number}
 */
function checked(ns) {
  if (ns >= 0) return ns;
  throw new Error(`reference: ${ns === -4096 ? 'pages are elsewhere' : `errno ${-ns}`}`);
}
