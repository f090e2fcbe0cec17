/**
 * Which CPUs the workers and children have that this thread of JavaScript placed: what is exclusive
 * to one of them, no other one gets while it lives.
 */

import { CpuMask } from '../../core/cpu-mask.ts';
import { NumaError } from '../../core/errors.ts';
import type { Topology } from '../topology.ts';
import type { ResolvedCpus } from './cpu-list.ts';
import type { PlacementNames } from './plan-placement.ts';

/** CPUs of one who lives. */
interface Holding {
  readonly cpus: CpuMask;
  readonly isExclusive: boolean;
}

/** CPUs that were given out, until `release()`. Idempotent. */
export interface CpuLease {
  readonly cpus: ResolvedCpus;
  release(): void;
}

export class CpuLedger {
  readonly #holdings = new Set<Holding>();

  /**
   * All of these but what is exclusive to others; each one, where they were named by their numbers.
   * @throws NumaError NUMA_CPUS_IN_USE
   */
  share(asked: ResolvedCpus, argument: string): CpuLease {
    const taken = this.#taken(({ isExclusive }) => isExclusive);
    const free = asked.cpus.difference(taken);
    const isLost = asked.isExact && free.size < asked.cpus.size;
    if (free.isEmpty || isLost) {
      const which = asked.cpus.intersection(taken);
      throw inUse(`CPU ${which} is exclusive to a worker or child of ours`, argument);
    }
    return this.#hold({ cpus: free, isExact: asked.isExact }, false);
  }

  /**
   * So many of these that nobody else has, of one node where it has enough.
   * @throws NumaError NUMA_CPUS_IN_USE
   */
  take(
    candidates: CpuMask,
    count: number,
    topology: Topology,
    { exclusiveCpus: argument }: PlacementNames,
  ): CpuLease {
    const free = candidates.difference(this.#taken(() => true));
    if (free.size < count) {
      const which = free.isEmpty ? 'none' : `only ${free}`;
      throw inUse(`of the CPUs ${candidates} ${which} is free`, argument);
    }
    const ofNodes = topology.nodes.map(({ cpus }) => free.intersection(CpuMask.from(cpus ?? [])));
    const from = ofNodes.find(({ size }) => size >= count) ?? free;
    const cpus = CpuMask.from(from.toArray().slice(0, count));
    return this.#hold({ cpus, isExact: true }, true);
  }

  #taken(counts: (holding: Holding) => boolean): CpuMask {
    const held = [...this.#holdings].filter(counts).flatMap(({ cpus }) => cpus.toArray());
    return CpuMask.from(held);
  }

  #hold(cpus: ResolvedCpus, isExclusive: boolean): CpuLease {
    const holding = { cpus: cpus.cpus, isExclusive };
    this.#holdings.add(holding);
    return { cpus, release: () => void this.#holdings.delete(holding) };
  }
}

function inUse(rule: string, argument: string | undefined): NumaError {
  return new NumaError(rule, {
    code: 'NUMA_CPUS_IN_USE',
    ...(argument === undefined ? {} : { argument }),
    hint: 'ask for fewer, name other CPUs, or wait until one of them has ended',
  });
}
