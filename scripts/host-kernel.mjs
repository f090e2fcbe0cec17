// @ts-check
// What this host's own kernel is good for: whether it has nodes to move between, and whether it
// lets this process make the calls at all.

import { readFileSync } from 'node:fs';

/** Nodes with memory; 0 where the kernel has no NUMA support or is not Linux. */
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

/**
 * Why the NUMA calls cannot be made here, as in a container with the default seccomp profile.
 * Needs the built package.
 * @returns {Promise<string | undefined>} undefined where they can
 */
export async function numaCallObstacle() {
  try {
    const { openNuma } = await import('node-numa');
    const numa = openNuma({ backend: 'native' });
    numa.thread.policy();
    const buffer = numa.allocate(1);
    buffer.residencySync();
    buffer.release();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
