// @ts-check
// The C program beside us, told over a pipe what to do; it times itself (see reference.c).

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../build/bench/reference', import.meta.url));

/** Times are nanoseconds. */
export class Reference {
  #child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  #lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();

  /**
   * Maps and fills pages on a node, in place of the mapping before.
   * @param {number} pageCount
   * @param {number} node
   */
  async map(pageCount, node) {
    await this.#run('map', pageCount, node);
  }

  async unmap() {
    await this.#run('unmap');
  }

  /**
   * Moves the first pages by move_pages.
   * @param {number} to
   * @param {number} pageCount
   * @param {number} chunk pages in each call
   */
  async move(to, pageCount, chunk = pageCount) {
    const [ns] = await this.#run('move', to, pageCount, chunk);
    return ns;
  }

  /**
   * Moves all pages by one mbind.
   * @param {number} to
   */
  async mbind(to) {
    const [ns] = await this.#run('mbind', to);
    return ns;
  }

  /**
   * Locates all pages, moves them, locates them again.
   * @param {number} to
   */
  async receipt(to) {
    const [before, move, after] = await this.#run('receipt', to);
    return { before, move, after };
  }

  /**
   * Asks where the first pages are.
   * @param {number} pageCount
   * @param {number} chunk pages in each call
   */
  async locate(pageCount, chunk = pageCount) {
    const [ns] = await this.#run('locate', pageCount, chunk);
    return ns;
  }

  /** Lets the program end. */
  close() {
    this.#child.stdin.end();
  }

  /**
   * @param {string} name
   * @param {number[]} parameters
   * @returns {Promise<[number, number, number]>} as many times as the command has
   */
  async #run(name, ...parameters) {
    this.#child.stdin.write(`${[name, ...parameters].join(' ')}\n`);
    const { value: line = 'err the program has ended' } = await this.#lines.next();
    const [word, ...times] = line.split(' ');
    if (word !== 'ok') throw new Error(`reference: ${name} ${parameters}: ${line}`);
    return /** @type {[number, number, number]} */ (times.map(Number));
  }
}
