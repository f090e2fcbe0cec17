/** The machine's CPUs and their nodes. */

import { assert } from '../../core/assert.ts';

export class Cpus {
  /** Ascending. */
  readonly all: readonly number[];
  readonly #nodes: ReadonlyMap<number, number>;

  constructor(nodes: readonly { readonly id: number; readonly cpus: readonly number[] }[]) {
    this.#nodes = new Map(nodes.flatMap(({ id, cpus }) => cpus.map((cpu) => [cpu, id] as const)));
    this.all = [...this.#nodes.keys()].sort((a, b) => a - b);
  }

  has(cpu: number): boolean {
    return this.#nodes.has(cpu);
  }

  nodeOf(cpu: number): number {
    const node = this.#nodes.get(cpu);
    assert(node !== undefined, `CPU ${cpu} is one of the machine's`);
    return node;
  }
}
