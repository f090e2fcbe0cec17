/**
 * What holds for the whole machine: its memory, and what its administrator has set.
 *
 * Source: proc_meminfo(5); fs/proc/meminfo.c; Documentation/admin-guide/sysctl/kernel.rst and
 * vm.rst; Documentation/admin-guide/mm/transhuge.rst; Documentation/ABI/testing,
 * sysfs-kernel-mm-mempolicy-weighted-interleave and sysfs-kernel-mm-numa.
 *
 * Left out: what the model does not know. Nothing is demoted, and no defragmentation is chosen.
 */

import type { MachineState } from '../machine.ts';
import { MAX_MAP_COUNT } from '../syscalls/range-argument.ts';
import { readWeightFile, weightFileNames } from '../syscalls/weight-files.ts';
import { hugePageBytes, machinePoolFolder } from './node-files.ts';
import { kilobytesLine, linesText, NAME_WIDTH } from './text-layout.ts';
import { type FileEntry, type FolderEntry, folderOf } from './tree.ts';
import { nodeUsages, sumOf, vmstatText } from './vmstat.ts';

const BALANCING = { off: 0, on: 1, tiering: 2 } as const;
const POOL_COUNT_WIDTH = 8;

/** Files of /proc that are no process's. */
export function machineFiles(machine: MachineState): Record<string, FileEntry | FolderEntry> {
  const { memory } = machine;
  const total = (): number =>
    nodesOf(machine).reduce((sum, node) => sum + memory.pool.totalPages(node), 0);
  return {
    meminfo: () => meminfoText(machine),
    zoneinfo: () => zoneinfoText(machine),
    vmstat: () => vmstatText(memory, nodesOf(machine)),
    sys: folderOf({
      kernel: folderOf({
        numa_balancing: () => `${BALANCING[memory.balancing]}\n`,
        numa_balancing_promote_rate_limit_MBps: () =>
          `${memory.physical.promotions.rateLimitMBps}\n`,
      }),
      vm: folderOf({
        max_map_count: () => `${MAX_MAP_COUNT}\n`,
        nr_hugepages: () => `${total()}\n`,
      }),
    }),
  };
}

/** /sys/kernel/mm. */
export function memoryFolder(machine: MachineState): FolderEntry {
  const { memory } = machine;
  const weights = weightFileNames(machine);
  return folderOf({
    hugepages: machinePoolFolder(memory, nodesOf(machine)),
    mempolicy:
      weights.length === 0
        ? undefined
        : folderOf({
            weighted_interleave: folderOf(
              Object.fromEntries(
                weights.map((name) => [name, () => `${readWeightFile(machine, name)}\n`]),
              ),
            ),
          }),
    numa: folderOf({ demotion_enabled: () => 'false\n' }),
    transparent_hugepage: folderOf({
      defrag: () => choiceText(['always', 'defer', 'defer+madvise', 'madvise', 'never'], 'madvise'),
      enabled: () => choiceText(['always', 'madvise', 'never'], memory.hugePages),
      hpage_pmd_size: () => `${hugePageBytes(memory)}\n`,
    }),
  });
}

function nodesOf({ description }: MachineState): number[] {
  return description.nodes.map(({ id }) => id);
}

/** All words, with the chosen one in brackets. */
function choiceText(words: readonly string[], chosen: string): string {
  return `${words.map((word) => (word === chosen ? `[${word}]` : word)).join(' ')}\n`;
}

/** One zone of each node, with what its node keeps back. */
function zoneinfoText(machine: MachineState): string {
  const { physical } = machine.memory;
  return linesText(
    nodesOf(machine).flatMap((node) => [
      `Node ${node}, zone   Normal`,
      `  pages free     ${physical.freePages(node)}`,
      `        min      ${physical.keptPages(node)}`,
      `        managed  ${physical.totalPages(node)}`,
      '        protection: (0, 0, 0, 0, 0)',
    ]),
  );
}

function meminfoText(machine: MachineState): string {
  const { memory } = machine;
  const { physical, pool, pageSizeBytes } = memory;
  const nodes = nodesOf(machine);
  const sum = (count: (node: number) => number): number =>
    nodes.reduce((total, node) => total + count(node), 0);
  const usage = sumOf(nodes.map(nodeUsages(memory)));
  const pages = (name: string, count: number): string => kilobytesLine(name, count * pageSizeBytes);
  const count = (name: string, number: number): string =>
    `${`${name}:`.padEnd(NAME_WIDTH)}${String(number).padStart(POOL_COUNT_WIDTH)}`;
  const total = sum((node) => pool.totalPages(node));
  return linesText([
    pages(
      'MemTotal',
      sum((node) => physical.totalPages(node)),
    ),
    pages(
      'MemFree',
      sum((node) => physical.freePages(node)),
    ),
    pages(
      'MemAvailable',
      sum((node) => physical.availablePages(node)),
    ),
    pages('Cached', usage.file),
    pages('AnonPages', usage.anonymous),
    pages('Mapped', usage.mapped),
    pages('Shmem', usage.sharedMemory),
    pages('AnonHugePages', usage.anonymousHuge),
    count('HugePages_Total', total),
    count(
      'HugePages_Free',
      sum((node) => pool.freePages(node)),
    ),
    count('HugePages_Rsvd', pool.reservedPages),
    count(
      'HugePages_Surp',
      sum((node) => pool.surplusPages(node)),
    ),
    kilobytesLine('Hugepagesize', hugePageBytes(memory)),
    kilobytesLine('Hugetlb', total * hugePageBytes(memory)),
  ]);
}
