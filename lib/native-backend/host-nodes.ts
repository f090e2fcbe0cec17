/**
 * What sysfs says of this host's nodes and libnuma does not: which have memory, and their tier.
 *
 * Source: Documentation/ABI/stable/sysfs-devices-node, .../testing/sysfs-kernel-mm-memory-tiers.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parseIdList } from '../core/id-list.ts';
import { NODE_ID_MAX } from '../core/uapi.ts';

/** Always there where sysfs is. */
const SYSTEM_FOLDER = '/sys/devices/system/cpu';
const NODES_FOLDER = '/sys/devices/system/node';
const HAS_MEMORY_PATH = `${NODES_FOLDER}/has_memory`;
const TIERS_FOLDER = '/sys/devices/virtual/memory_tiering';

/**
 * Number of this host's nodes with memory, whatever this process may use; 0 where unknown. A kernel
 * built without NUMA tells no nodes, and all of its memory is one.
 */
export function hostMemoryNodeCount(): number {
  if (existsSync(HAS_MEMORY_PATH)) return readNodeList(HAS_MEMORY_PATH).length;
  return existsSync(SYSTEM_FOLDER) && !existsSync(NODES_FOLDER) ? 1 : 0;
}

/** Memory tier by node; empty on kernels without tiers (they came with Linux 6.1). */
export function memoryTiers(): Map<number, number> {
  const tiers = new Map<number, number>();
  for (const name of namesIn(TIERS_FOLDER)) {
    const match = /^memory_tier(\d+)$/.exec(name);
    if (match === null) continue;
    for (const node of readNodeList(`${TIERS_FOLDER}/${name}/nodelist`)) {
      tiers.set(node, Number(match[1]));
    }
  }
  return tiers;
}

function readNodeList(path: string): number[] {
  try {
    return parseIdList(readFileSync(path, 'utf8').trim(), path, NODE_ID_MAX);
  } catch {
    return [];
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
