/**
 * What memory must hold, kept apart from the simulator: each word that was written, by process, or
 * by object where memory is shared. A write that got lost, or half of a page that was copied too
 * early, is a word that differs.
 */

/** Two words of each page: its first and its last. */
export type Half = 'head' | 'tail';

export class Contents {
  /** By `place`: what was written last. */
  readonly #words = new Map<string, bigint>();
  readonly #isShared: (page: number) => boolean;

  /** @param isShared whether all processes share a page */
  constructor(isShared: (page: number) => boolean) {
    this.#isShared = isShared;
  }

  #place(owner: number, page: number, half: Half): string {
    return `${this.#isShared(page) ? 'all' : owner}/${page}/${half}`;
  }

  write(owner: number, page: number, half: Half, value: bigint): void {
    this.#words.set(this.#place(owner, page, half), value);
  }

  /** 0 where nothing was written. */
  read(owner: number, page: number, half: Half): bigint {
    return this.#words.get(this.#place(owner, page, half)) ?? 0n;
  }

  /** A child begins with its parent's private memory. */
  fork(parent: number, child: number): void {
    for (const [place, value] of [...this.#words]) {
      const [owner, ...rest] = place.split('/');
      if (owner === String(parent)) this.#words.set([child, ...rest].join('/'), value);
    }
  }

  /** Private pages that were dropped read as zeros. */
  drop(owner: number, start: number, end: number): void {
    for (let page = start; page < end; page += 1) {
      if (this.#isShared(page)) continue;
      for (const half of ['head', 'tail'] as const) {
        this.#words.delete(this.#place(owner, page, half));
      }
    }
  }
}
