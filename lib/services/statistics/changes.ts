/**
 * What has happened on the nodes between two looks: numastat's counters only ever grow, and what
 * they grew by is what people want to know.
 */

import type { NodeStatistics } from '../../facade/host/node-statistics.ts';

/**
 * The same members as the later look, each less what it was before; nodes that only one of them has
 * are left out. `memory` and `meminfo` may have shrunk.
 */
export function changesBetween(
  before: readonly NodeStatistics[],
  after: readonly NodeStatistics[],
): NodeStatistics[] {
  return after.flatMap((node) => {
    const earlier = before.find(({ id }) => id === node.id);
    return earlier === undefined ? [] : [changesOf(earlier, node)];
  });
}

/** Whether the counters have been set back between two looks: the machine was started anew. */
export function hasStartedAnew(changes: readonly NodeStatistics[]): boolean {
  return changes.some(({ allocations }) => {
    return Object.values(allocations ?? {}).some((count) => count < 0);
  });
}

function changesOf(before: NodeStatistics, after: NodeStatistics): NodeStatistics {
  const pools = after.hugePages?.flatMap((pool) => {
    const earlier = before.hugePages?.find((own) => own.pageSizeBytes === pool.pageSizeBytes);
    if (earlier === undefined) return [];
    return [{ ...less(pool, earlier), pageSizeBytes: pool.pageSizeBytes }];
  });
  return {
    id: after.id,
    memory: less(after.memory, before.memory),
    allocations: lessOrNull(after.allocations, before.allocations),
    meminfo: lessOrNull(after.meminfo, before.meminfo),
    hugePages: pools ?? null,
  };
}

type Counts = Readonly<Record<string, number | null>>;

function lessOrNull<T extends object>(after: T | null, before: T | null): T | null {
  return after === null || before === null ? null : less(after, before);
}

/** Member by member; what was not there before counts as 0, and what is unknown stays so. */
function less<T extends object>(after: T, before: T): T {
  const earlier = before as Counts;
  const entries = Object.entries(after as Counts).map(([name, number]) => {
    const { [name]: former = 0 } = earlier;
    return [name, number === null || former === null ? null : number - former];
  });
  return Object.fromEntries(entries) as T;
}
