/**
 * An immutable set of CPU numbers, and its text form as the kernel prints it ("0-2,5"). A type of
 * its own: a set of CPUs is never taken for one of nodes.
 *
 * Named after cpumask_t (include/linux/cpumask.h).
 */

import { CPU_IDS } from './id-expression.ts';
import { IdSet, type IdSetClass, type IdSetContext, idSetOf, parseIdSet } from './id-set.ts';
import { inspectAs } from './inspect.ts';

/** Number of a CPU as the scheduler knows it: 0 to 8191. */
export type CpuId = number;

/** What every function that takes CPUs accepts. */
export type CpuExpression = number | string | CpuMask | Iterable<number>;

const ITERABLE_RULE = 'an iterable of CPU numbers; CpuMask.of(1) takes numbers, parse() text';

/** @internal Whether it is one itself, and no object that only inherits from one. */
export let isCpuMask: (value: unknown) => value is CpuMask;

let cpuMasks: IdSetClass<CpuMask>;

export class CpuMask extends IdSet<CpuMask> {
  static {
    isCpuMask = (value): value is CpuMask =>
      typeof value === 'object' && value !== null && #isCpuMask in value;
    const make = (ascending: readonly number[]): CpuMask => new CpuMask(ascending);
    cpuMasks = { kind: CPU_IDS, name: 'CpuMask', make, isOne: isCpuMask };
  }

  /** The set without CPUs. */
  static readonly empty: CpuMask = new CpuMask([]);

  /** The mark of what this class has made. */
  readonly #isCpuMask = true;

  private constructor(ascending: readonly CpuId[]) {
    super(ascending, cpuMasks);
  }

  /**
   * The set of the given CPU numbers; order and repetition do not matter.
   * @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE for what is no CPU number
   */
  static of(...cpus: number[]): CpuMask {
    return CpuMask.from(cpus);
  }

  /** The set of an iterable's CPU numbers; errors name `argument`. @throws as `of` */
  static from(cpus: Iterable<number>, argument = 'cpus'): CpuMask {
    return cpuMaskOfItems(cpus, argument, ITERABLE_RULE);
  }

  /**
   * Reads a CPU list: `0-2,5`, the empty text for no CPU, and with a context also `all` (the
   * allowed CPUs), `!LIST` (the allowed CPUs that are not in LIST) and `+LIST` (ordinals within
   * the allowed CPUs; `!+LIST` for both).
   * @param context.allowed CPUs that `all`, `!` and `+` refer to; default `context.online`
   * @param context.online CPUs that a plain number may name; default any
   * @throws TypeError ERR_INVALID_ARG_VALUE for text that is no CPU list, RangeError
   *   ERR_OUT_OF_RANGE for a CPU that is not online
   * Source: numa_parse_cpustring of numa(3).
   */
  static parse(text: string, context: IdSetContext<CpuMask> = {}): CpuMask {
    return parseIdSet(cpuMasks, text, context);
  }
}

inspectAs(CpuMask, (mask) => `CpuMask(${mask})`);

/** @internal The set of an iterable's CPU numbers; an error says by `rule` what was wanted. */
export function cpuMaskOfItems(cpus: unknown, argument: string, rule: string): CpuMask {
  return idSetOf(cpuMasks, cpus, argument, rule);
}
