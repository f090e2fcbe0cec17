/**
 * A process's memory in the four categories of numastat -p.
 *
 * Source: numastat(8): Huge are pages of a pool, Heap and Stack what the kernel calls so, Private
 * all the rest, shared files and shared memory included.
 */

import type { NodeBytes } from '../../facade/process/process-mappings.ts';
import type { ProcessResidency } from '../../facade/process/process-residency.ts';

export interface ProcessFigures {
  readonly pid: number;
  readonly huge: NodeBytes;
  readonly heap: NodeBytes;
  readonly stack: NodeBytes;
  readonly private: NodeBytes;
  readonly total: NodeBytes;
}

export function processFigures({ pid, byKind, bytesByNode }: ProcessResidency): ProcessFigures {
  const { hugetlb, heap, stack, ...others } = byKind;
  const rest: Record<number, number> = {};
  for (const { bytesByNode: bytes } of Object.values(others)) {
    for (const [node, count] of Object.entries(bytes)) {
      rest[Number(node)] = (rest[Number(node)] ?? 0) + count;
    }
  }
  return {
    pid,
    huge: hugetlb.bytesByNode,
    heap: heap.bytesByNode,
    stack: stack.bytesByNode,
    private: rest,
    total: bytesByNode,
  };
}
