/**
 * The folders hugepages: the pool of a node, and that of the machine.
 *
 * Source: Documentation/admin-guide/mm/hugetlbpage.rst; mm/hugetlb_sysfs.c.
 *
 * Left out: pools of other sizes than a page table covers.
 */

import { KIB_BYTES } from '../../core/units.ts';
import type { Memory } from '../memory/memory.ts';
import { type FolderEntry, folderOf } from './tree.ts';

/** Bytes of a huge page. */
export function hugePageBytes({ pageSizeBytes, tablePages }: Memory): number {
  return pageSizeBytes * tablePages;
}

export function nodePoolFolder(memory: Memory, node: number): FolderEntry {
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
