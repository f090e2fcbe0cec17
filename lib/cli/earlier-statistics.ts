/** An earlier output of `stat --json`, read back: somebody may have written anything into it. */

import { readFileSync } from 'node:fs';
import type { HugePagePool, NodeStatistics } from '../facade/host/node-statistics.ts';
import type { BackendInfo } from '../facade/numa.ts';
import type { NodeAllocations } from '../procfs/node-files.ts';
import { UsageError } from './usage-error.ts';

/** @throws UsageError for what is no such output, or speaks of another machine */
export function readEarlierStatistics(path: string, { kind }: BackendInfo): NodeStatistics[] {
  const fail = (what: string, cause?: unknown): never => {
    throw new UsageError(`--since ${path}: ${what}`, { cause });
  };
  let earlier: unknown;
  try {
    earlier = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    fail((error as Error).message, error);
  }
  const { backend, changes, nodes } = (isObject(earlier) ? earlier : {}) as Record<string, unknown>;
  const isOurs = Array.isArray(nodes) && nodes.length > 0 && nodes.every(isStatistics);
  if (!isObject(backend) || !isOurs) {
    return fail('it is no output of node-numa stat --json');
  }
  if (changes !== null) fail('it has changes, not the figures themselves');
  if (backend['kind'] !== kind) fail(`it is of ${backend['kind']}, and this is ${kind}`);
  return nodes;
}

function isStatistics(value: unknown): value is NodeStatistics {
  if (!isObject(value)) return false;
  const { id, memory, allocations, meminfo, hugePages } = value;
  return (
    Number.isInteger(id) &&
    isCounts(memory, MEMORY, isUnknown) &&
    (allocations === null || isCounts(allocations, ALLOCATIONS)) &&
    (meminfo === null || isCounts(meminfo, [])) &&
    (hugePages === null ||
      (Array.isArray(hugePages) && hugePages.every((pool) => isCounts(pool, POOL, isUnknown))))
  );
}

type Names<T> = readonly (keyof T & string)[];

const MEMORY: Names<NodeStatistics['memory']> = ['totalBytes', 'usedBytes', 'freeBytes'];
const ALLOCATIONS: Names<NodeAllocations> = [
  ...(['numaHit', 'numaMiss', 'numaForeign', 'interleaveHit', 'localNode', 'otherNode'] as const),
];
const POOL: Names<HugePagePool> = ['pageSizeBytes', 'total', 'free', 'surplus'];

/** Numbers by name, with all of some names. */
function isCounts(
  value: unknown,
  names: readonly string[],
  isElse: (member: unknown) => boolean = () => false,
): boolean {
  const isCount = (member: unknown): boolean => Number.isSafeInteger(member) || isElse(member);
  if (!isObject(value) || !names.every((name) => Object.hasOwn(value, name))) return false;
  return Object.values(value).every(isCount);
}

/** Of a node whose files could not be read. */
function isUnknown(member: unknown): boolean {
  return member === null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
