/**
 * Files of one node below /sys/devices/system/node: its distances, its allocation counters, its
 * pools of huge pages; and the online CPUs where there are no nodes.
 *
 * Source: Documentation/admin-guide/numastat.rst; Documentation/admin-guide/mm/hugetlbpage.rst.
 */

import { parseIdList } from '../core/id-list.ts';
import { KIB_BYTES } from '../core/units.ts';
import { parseCounters } from './vmstat.ts';

/** Of all nodes: each has one of its own in it. */
export const NODES_FOLDER = '/sys/devices/system/node';

/** Pages that a node has given out since the machine started, under the kernel's names. */
export interface NodeAllocations {
  /** Pages for which the node was wanted, and given. */
  readonly numaHit: number;
  /** Pages that were given here because the wanted node had none left. */
  readonly numaMiss: number;
  /** Pages for which this node was wanted, and that others gave. */
  readonly numaForeign: number;
  /** Interleaved pages for which the node was wanted, and given. */
  readonly interleaveHit: number;
  /** Pages given to CPUs of the node, and to those of others. */
  readonly localNode: number;
  readonly otherNode: number;
}

const NUMASTAT_FIELDS: Readonly<Record<keyof NodeAllocations, string>> = {
  numaHit: 'numa_hit',
  numaMiss: 'numa_miss',
  numaForeign: 'numa_foreign',
  interleaveHit: 'interleave_hit',
  localNode: 'local_node',
  otherNode: 'other_node',
};

/** `null` where one of the six is missing: a file cut short, or none of a kernel. */
export function parseNumastat(text: string): NodeAllocations | null {
  const counters = parseCounters(text);
  const entries = Object.entries(NUMASTAT_FIELDS).map(([name, field]) => {
    return [name, counters.get(field)] as const;
  });
  if (entries.some(([, count]) => count === undefined)) return null;
  return Object.fromEntries(entries) as unknown as NodeAllocations;
}

/** Bytes of a page of a pool, by the name of its folder: `hugepages-2048kB`. */
export function parsePoolName(name: string): number | null {
  const match = /^hugepages-(\d{1,12})kB$/.exec(name);
  return match === null ? null : Number(match[1]) * KIB_BYTES;
}

/** A file that is one whole number. */
export function parseCount(text: string): number | null {
  return /^\d{1,20}\n?$/.test(text) ? Number(text) : null;
}

/** `null` for what is no list, or has numbers that no node or CPU can have. */
export function parseList(text: string, idMax: number): number[] | null {
  try {
    return parseIdList(text.trim(), 'list', idMax);
  } catch {
    return null;
  }
}

/** A row of distances to the online nodes; `null` where it is none. 0 stands for unknown. */
export function parseDistances(text: string): (number | null)[] | null {
  if (!/^\d{1,3}( \d{1,3})*\n?$/.test(text)) return null;
  return text.split(' ').map((distance) => Number(distance) || null);
}

/** The CPUs that /proc/stat counts: the online ones, ascending; `null` where it names none. */
export function parseOnlineCpus(text: string): number[] | null {
  const cpus = [...text.matchAll(/^cpu(\d{1,4}) /gm)].map(([, cpu]) => Number(cpu));
  return cpus.length === 0 ? null : cpus.sort((a, b) => a - b);
}
