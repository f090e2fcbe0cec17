/** Random modes and node masks, valid and invalid. */

import { MPOL, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import type { Mask } from './program.ts';
import type { Random } from './random.ts';
import type { Scene } from './scene.ts';

export const MODES: readonly number[] = Object.values(MPOL);

/** Beyond every mode of the kernels examined, or cut off by the kernel. */
const INVALID_MODES = [7, 8, 31, 0x1000, 0x1002, 0xffff, -1, 0x7fff_ffff];
const NODES = [0, 1, 2, 3];
/** Nodes that no machine here has, around the ends of words and of the largest mask. */
const ABSENT_NODES = [4, 5, 9, 31, 63, 64, 65, 127, 1022, 1023, 1024, 1025];
const ODD_MAXNODES = [0, 1, 2, 3, 4, 5, 64, 66, 129, 1024, 1025, 1026, 1089, 32_769, 32_770];

export function generateMode({ random, modes, without }: Scene): number {
  if (random.chance(0.03)) return random.pick(INVALID_MODES);
  const mode = random.pick(modes);
  if (random.chance(0.75)) return mode;
  const { STATIC_NODES, RELATIVE_NODES, NUMA_BALANCING } = MPOL_MODE_FLAG;
  const flags = [
    STATIC_NODES,
    RELATIVE_NODES,
    ...(without.has('balancing') ? [] : [NUMA_BALANCING]),
  ];
  return mode | random.pick(flags) | (random.chance(0.25) ? random.pick(flags) : 0);
}

/** A mask for a mode, mostly one that it takes. */
export function generateMask(random: Random, mode: number): Mask {
  const base = mode & 0xfff;
  const takesNone = base === MPOL.DEFAULT || base === MPOL.LOCAL;
  if (takesNone ? random.chance(0.85) : random.chance(0.03)) return null;
  if (random.chance(0.015)) return { pointer: 8, maxnode: random.pick([1, 65, 129]) };
  const nodes = random.chance(0.03) ? [] : random.some(NODES);
  if (random.chance(0.1)) nodes.push(random.pick(ABSENT_NODES));
  const wordCount = Math.floor(Math.max(0, ...nodes) / 64) + 1;
  const maxnode = random.chance(0.08) ? random.pick(ODD_MAXNODES) : wordCount * 64 + 1;
  return { nodes, maxnode };
}
