/**
 * /sys/kernel/mm/mempolicy/weighted_interleave: a file for each node with memory, and on newer
 * kernels one that has the kernel choose.
 *
 * Source: Documentation/ABI/testing/sysfs-kernel-mm-mempolicy-weighted-interleave; mm/mempolicy.c,
 * node_show() and weighted_interleave_auto_show().
 */

import { WEIGHT_MAX } from '../core/uapi.ts';
import { parseCount } from './node-files.ts';

export const WEIGHTS_FOLDER = '/sys/kernel/mm/mempolicy/weighted_interleave';

/** The node that a file is of; `null` for the one that has the kernel choose. */
export function nodeOfWeightFile(name: string): number | null {
  const match = /^node(\d{1,4})$/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** `null` for what is no weight. */
export function parseWeight(text: string): number | null {
  const weight = parseCount(text);
  return weight === null || weight < 1 || weight > WEIGHT_MAX ? null : weight;
}

/** `null` for what is neither. */
export function parseIsAutomatic(text: string): boolean | null {
  const word = text.trim();
  return word === 'true' ? true : word === 'false' ? false : null;
}
