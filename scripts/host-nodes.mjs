// @ts-check
// How many of this host's nodes have memory: what decides between the host and the guest.

import { readFileSync } from 'node:fs';

/** 0 where the kernel has no NUMA support or is not Linux. */
export function memoryNodeCount() {
  try {
    const list = readFileSync('/sys/devices/system/node/has_memory', 'utf8').trim();
    return list.split(',').reduce((count, part) => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return count + last - first + 1;
    }, 0);
  } catch {
    return 0;
  }
}
