/**
 * What this machine counts of each node: numbers of pages. Since 5.14 the kernel folds its
 * counters when they are read, so none is late.
 */

import { readFileSync } from 'node:fs';
import type { NodeCounters } from '../contract/world.ts';

export function readNodeCounters(node: number): NodeCounters {
  const text = readFileSync(`/sys/devices/system/node/node${node}/numastat`, 'utf8');
  const count = (name: string): number => {
    const match = new RegExp(`^${name} (\\d+)$`, 'm').exec(text);
    if (match?.[1] === undefined) throw new Error(`numastat of node ${node} has no ${name}`);
    return Number(match[1]);
  };
  return {
    numaHit: count('numa_hit'),
    numaMiss: count('numa_miss'),
    numaForeign: count('numa_foreign'),
    interleaveHit: count('interleave_hit'),
    localNode: count('local_node'),
    otherNode: count('other_node'),
  };
}
