/**
 * /sys/devices/system/node: the nodes of the machine; the folders hugepages, of a node's pool and
 * of the machine's.
 *
 * Source: Documentation/ABI/stable/sysfs-devices-node; drivers/base/node.c, node_read_meminfo(),
 * node_read_numastat(), node_read_vmstat() and node_read_distance();
 * Documentation/admin-guide/mm/hugetlbpage.rst; mm/hugetlb_sysfs.c. Left out: links to CPUs and
 * blocks of memory, targets of initiators, what the kernel itself takes of a node's memory, lists
 * of reclaim, and pools of other sizes than a page table covers.
 */

import { formatIdList } from '../../core/id-list.ts';
import type { MachineNode } from '../../core/machine-description.ts';
import { KIB_BYTES } from '../../core/units.ts';
import type { MachineState } from '../machine.ts';
import type { Memory } from '../memory/memory.ts';
import { nodesIn } from '../nodes/nodemask.ts';
import { kilobytesLine, linesText, maskText } from './text-layout.ts';
import { type FolderEntry, folderOf, numberedFolder } from './tree.ts';
import { nodeUsages, nodeVmstatText } from './vmstat.ts';

export function nodesFolder(machine: MachineState): FolderEntry {
  const { nodes } = machine.description;
  const ids = nodes.map(({ id }) => id);
  const list = (numbers: readonly number[]) => () => `${formatIdList(numbers)}\n`;
  const withMemory = nodesIn(machine.memory.physical.memoryNodes);
  const more = folderOf({
    has_cpu: list(nodes.filter(({ cpus }) => cpus.length > 0).map(({ id }) => id)),
    has_memory: list(withMemory),
    has_normal_memory: list(withMemory),
    online: list(ids),
    possible: list(Array.from({ length: machine.possibleNodeCount }, (_, id) => id)),
  });
  const folderFor = (id: number): FolderEntry | undefined => {
    const node = nodes.find((one) => one.id === id);
    return node === undefined ? undefined : nodeFolder(machine, node);
  };
  return numberedFolder('node', () => ids, folderFor, more);
}

function nodeFolder(machine: MachineState, node: MachineNode): FolderEntry {
  const { id } = node;
  const cpus = [...node.cpus].sort((a, b) => a - b);
  const distances = (): string =>
    machine.description.nodes.map((other) => machine.distance(id, other.id)).join(' ');
  const access = accessFolder(node);
  return folderOf({
    access0: access,
    access1: access,
    cpulist: () => `${formatIdList(cpus)}\n`,
    cpumap: () => `${maskText(cpus, Math.max(...machine.cpus.all) + 1)}\n`,
    distance: () => `${distances()}\n`,
    hugepages: nodePoolFolder(machine.memory, id),
    meminfo: () => meminfoText(machine, id),
    numastat: () => numastatText(machine, id),
    vmstat: () => nodeVmstatText(machine.memory, id),
  });
}

/**
 * Both classes are alike: no device is an initiator. The nodes in it are links to their folders.
 * Source: drivers/base/node.c, node_set_perf_attrs().
 */
function accessFolder({ id, ...node }: MachineNode): FolderEntry | undefined {
  const { initiator = id, readLatencyNs, readBandwidthMBps } = node;
  if (readLatencyNs === undefined || readBandwidthMBps === undefined) return undefined;
  const latency = (): string => `${readLatencyNs}\n`;
  const bandwidth = (): string => `${readBandwidthMBps}\n`;
  return folderOf({
    initiators: folderOf({
      [`node${initiator}`]: folderOf({}),
      read_bandwidth: bandwidth,
      read_latency: latency,
      write_bandwidth: bandwidth,
      write_latency: latency,
    }),
  });
}

function meminfoText({ memory }: MachineState, node: number): string {
  const { physical, pool, pageSizeBytes } = memory;
  const usage = nodeUsages(memory)(node);
  const pages = (name: string, count: number): string =>
    `Node ${node} ${kilobytesLine(name, count * pageSizeBytes)}`;
  const count = (name: string, number: number): string =>
    `Node ${node} ${name}:${String(number).padStart(POOL_COUNT_WIDTH)}`;
  return linesText([
    pages('MemTotal', physical.totalPages(node)),
    pages('MemFree', physical.freePages(node)),
    pages('MemUsed', physical.totalPages(node) - physical.freePages(node)),
    pages('FilePages', usage.file),
    pages('Mapped', usage.mapped),
    pages('AnonPages', usage.anonymous),
    pages('Shmem', usage.sharedMemory),
    pages('AnonHugePages', usage.anonymousHuge),
    count('HugePages_Total', pool.totalPages(node)),
    count('HugePages_Free', pool.freePages(node)),
    count('HugePages_Surp', pool.surplusPages(node)),
  ]);
}

const POOL_COUNT_WIDTH = 6;

function numastatText({ memory: { physical } }: MachineState, node: number): string {
  const counts = physical.counters.of(node);
  return linesText([
    `numa_hit ${counts.numaHit}`,
    `numa_miss ${counts.numaMiss}`,
    `numa_foreign ${counts.numaForeign}`,
    `interleave_hit ${counts.interleaveHit}`,
    `local_node ${counts.localNode}`,
    `other_node ${counts.otherNode}`,
  ]);
}

/** Bytes of a huge page. */
export function hugePageBytes({ pageSizeBytes, tablePages }: Memory): number {
  return pageSizeBytes * tablePages;
}

function nodePoolFolder(memory: Memory, node: number): FolderEntry {
  return poolFolder(memory, [node]);
}

export function machinePoolFolder(memory: Memory, nodes: readonly number[]): FolderEntry {
  const more = { resv_hugepages: () => `${memory.pool.reservedPages}\n` };
  return poolFolder(memory, nodes, more);
}

function poolFolder(
  memory: Memory,
  nodes: readonly number[],
  more: Readonly<Record<string, () => string>> = {},
): FolderEntry {
  const { pool } = memory;
  const sum = (count: (node: number) => number) => () =>
    `${nodes.reduce((total, node) => total + count(node), 0)}\n`;
  return folderOf({
    [`hugepages-${hugePageBytes(memory) / KIB_BYTES}kB`]: folderOf({
      free_hugepages: sum((node) => pool.freePages(node)),
      nr_hugepages: sum((node) => pool.totalPages(node)),
      surplus_hugepages: sum((node) => pool.surplusPages(node)),
      ...more,
    }),
  });
}
