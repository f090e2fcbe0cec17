/**
 * The files of the interleave weights in sysfs: one for each node, and on newer kernels one that
 * has the kernel choose.
 *
 * Source: mm/mempolicy.c, node_store() and weighted_interleave_auto_store(); lib/kstrtox.c,
 * kstrtou8() and kstrtobool().
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { ROOT_UID, WEIGHT_MAX } from '../../core/uapi.ts';
import type { MachineState } from '../machine.ts';
import { nodesIn } from '../nodes/nodemask.ts';
import type { Credentials } from '../tasks/credentials.ts';
import { answer } from './answer.ts';

export function weightFileNames({ facts, memory }: MachineState): string[] {
  const { hasWeightedInterleave, automaticWeightsFile } = facts;
  if (!hasWeightedInterleave) return [];
  const names = nodesIn(memory.physical.memoryNodes).map((node) => `node${node}`);
  return automaticWeightsFile === null ? names : [...names, automaticWeightsFile];
}

/** Without the newline; ENOENT. */
export function readWeightFile({ facts, weights }: MachineState, name: string): string | undefined {
  if (name === facts.automaticWeightsFile) return String(weights.isAutomatic);
  const node = nodeOfFile(name);
  return node === undefined ? undefined : String(weights.weightOf(node));
}

export function writeWeightFile(
  machine: MachineState,
  { uid }: Credentials,
  name: string,
  text: string,
): SyscallResult<undefined> {
  if (!weightFileNames(machine).includes(name)) return answer('open', ERRNO.ENOENT);
  if (uid !== ROOT_UID) return answer('open', ERRNO.EACCES);
  const node = nodeOfFile(name);
  const errno =
    node === undefined ? storeAutomatic(machine, text) : storeWeight(machine, node, text);
  return answer('write', errno);
}

function nodeOfFile(name: string): number | undefined {
  const match = /^node(\d+)$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

function storeWeight({ facts, weights }: MachineState, node: number, text: string): number {
  const isEmpty = withoutNewline(text) === '';
  const weight = isEmpty ? 0 : parseNumber(withoutNewline(text));
  if (weight === undefined || weight > WEIGHT_MAX) return ERRNO.EINVAL;
  if (weight === 0 && !facts.emptyWeightIsOne) return ERRNO.EINVAL;
  weights.set(node, weight === 0 ? 1 : weight);
  return 0;
}

function storeAutomatic({ weights }: MachineState, text: string): number {
  const isOn = parseBoolean(text);
  if (isOn === undefined) return ERRNO.EINVAL;
  if (isOn && weights.bandwidths.size === 0) return ERRNO.ENODEV;
  weights.setAutomatic(isOn);
  return 0;
}

function withoutNewline(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}

/** Decimal, `0x` or octal, as C writes it; undefined for what is no number of that kind. */
function parseNumber(text: string): number | undefined {
  const match = /^\+?(?:0x([\da-f]+)|0([0-7]*)|([1-9]\d*))$/i.exec(text);
  if (match === null) return undefined;
  const [, hexadecimal, octal, decimal] = match;
  if (hexadecimal !== undefined) return Number.parseInt(hexadecimal, 16);
  return octal === undefined ? Number(decimal) : Number.parseInt(`0${octal}`, 8);
}

/** By its first letter, as kstrtobool() reads it. */
function parseBoolean(text: string): boolean | undefined {
  if (/^(?:[yt1]|on)/i.test(text)) return true;
  return /^(?:[nf0]|of)/i.test(text) ? false : undefined;
}
