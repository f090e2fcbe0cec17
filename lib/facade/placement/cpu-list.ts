/**
 * Lists of CPUs as a launcher takes them, in the forms of node lists: "0-2,5", "all", "!0", "+0-1".
 *
 * Source: numactl(8), --physcpubind and --all.
 */

import { invalidArgumentValue, outOfRange } from '../../core/argument-errors.ts';
import { CpuMask } from '../../core/cpu-mask.ts';
import {
  CPU_IDS,
  needsMachine,
  parseIdExpression,
  resolveIdExpression,
} from '../../core/id-expression.ts';

/** What gives a list its meaning. */
export interface CpuContext {
  /** Those that "all", "!" and "+" refer to, and that a number must be one of. */
  readonly usable: CpuMask;
  readonly online: CpuMask;
  /** What is wrong with a CPU that is not one of `online`. */
  readonly absentRule: string;
  /** What is wrong with a CPU that is online and not usable. */
  readonly rule: string;
}

export interface ResolvedCpus {
  readonly cpus: CpuMask;
  /** Named by their numbers: then each of them is meant. */
  readonly isExact: boolean;
}

/**
 * @throws TypeError ERR_INVALID_ARG_VALUE for what is no list, RangeError ERR_OUT_OF_RANGE for CPUs
 *   that there are not
 */
export function resolveCpuList(text: string, argument: string, context: CpuContext): ResolvedCpus {
  const expression = parseIdExpression(text, CPU_IDS, argument);
  if (!expression.isAll && !expression.isRelative) {
    checkNamed(CpuMask.from(expression.ids), argument, text, context);
  }
  const allowed = context.usable.toArray();
  const cpus = CpuMask.from(resolveIdExpression(expression, { allowed }, argument));
  if (cpus.isEmpty) throw invalidArgumentValue(argument, 'names no CPU', text);
  return { cpus, isExact: !needsMachine(expression) };
}

function checkNamed(
  named: CpuMask,
  argument: string,
  text: string,
  { usable, online, absentRule, rule }: CpuContext,
): void {
  const absent = named.difference(online);
  if (!absent.isEmpty) throw outOfRange(argument, `CPU ${absent} ${absentRule}`, text);
  const outside = named.difference(usable);
  if (!outside.isEmpty) throw outOfRange(argument, `CPU ${outside} ${rule}`, text);
}
