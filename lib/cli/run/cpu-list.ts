/**
 * Lists of CPUs as a launcher takes them, in the forms of node lists: "0-2,5", "all", "!0", "+0-1".
 *
 * Source: numactl(8), --physcpubind and --all.
 */

import { invalidArgumentValue, outOfRange } from '../../core/argument-errors.ts';
import { formatIdList, parseIdList } from '../../core/id-list.ts';
import { CPU_ID_MAX } from '../../core/uapi.ts';

/** What gives a list its meaning; ascending CPU numbers. */
export interface CpuContext {
  /** Those that "all", "!" and "+" refer to, and that a number must be one of. */
  readonly usable: readonly number[];
  readonly online: readonly number[];
  /** What is wrong with a CPU that is not one of `online`. */
  readonly absentRule: string;
  /** What is wrong with a CPU that is online and not usable. */
  readonly rule: string;
}

export interface ResolvedCpus {
  readonly cpus: readonly number[];
  /** Named by their numbers: then each of them is meant. */
  readonly isExact: boolean;
}

/**
 * @throws TypeError ERR_INVALID_ARG_VALUE for what is no list, RangeError ERR_OUT_OF_RANGE for CPUs
 *   that there are not
 */
export function resolveCpuList(text: string, argument: string, context: CpuContext): ResolvedCpus {
  const { usable } = context;
  const [, bang, plus, list] = /^(!?)(\+?)(.*)$/s.exec(text.trim()) as RegExpExecArray;
  if (list === 'all' && plus === '') {
    const cpus = bang === '' ? usable : [];
    return { cpus: notEmpty(cpus, argument, text), isExact: false };
  }
  const ids = notEmpty(parseIdList(list as string, argument, CPU_ID_MAX, text), argument, text);
  const named =
    plus === ''
      ? namedCpus(ids, argument, text, context)
      : ids.map((ordinal) => ordinalCpu(ordinal, argument, text, usable));
  if (bang === '') return { cpus: named, isExact: plus === '' };
  const others = usable.filter((cpu) => !named.includes(cpu));
  return { cpus: notEmpty(others, argument, text), isExact: false };
}

function namedCpus(
  ids: readonly number[],
  argument: string,
  text: string,
  { usable, online, absentRule, rule }: CpuContext,
): readonly number[] {
  const absent = ids.filter((cpu) => !online.includes(cpu));
  if (absent.length > 0) {
    throw outOfRange(argument, `CPU ${formatIdList(absent)} ${absentRule}`, text);
  }
  const outside = ids.filter((cpu) => !usable.includes(cpu));
  if (outside.length === 0) return ids;
  throw outOfRange(argument, `CPU ${formatIdList(outside)} ${rule}`, text);
}

function ordinalCpu(
  ordinal: number,
  argument: string,
  text: string,
  usable: readonly number[],
): number {
  const cpu = usable[ordinal];
  if (cpu !== undefined) return cpu;
  const rule = `"+" counts within the ${usable.length} usable CPUs (${formatIdList(usable)})`;
  throw outOfRange(argument, rule, text);
}

function notEmpty(cpus: readonly number[], argument: string, text: string): readonly number[] {
  if (cpus.length > 0) return cpus;
  throw invalidArgumentValue(argument, 'names no CPU', text);
}
