/**
 * What each node has given out and has left: the figures of numastat(8), typed.
 *
 * Source: Documentation/admin-guide/numastat.rst; drivers/base/node.c; mm/hugetlb.c.
 */

import type { Backend } from '../../backend/backend.ts';
import type { NodeMemory } from '../../backend/topology-snapshot.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { type Meminfo, parseMeminfo } from '../../procfs/meminfo.ts';
import {
  NODES_FOLDER,
  type NodeAllocations,
  parseCount,
  parseNumastat,
  parsePoolName,
} from '../../procfs/node-files.ts';
import type { Context } from '../context.ts';
import { readFile } from './read-file.ts';

/**
 * Huge pages of one size that are set aside on a node, counted in pages of that size; `null` where
 * the file cannot be read.
 */
export interface HugePagePool {
  readonly pageSizeBytes: number;
  readonly total: number | null;
  readonly free: number | null;
  /** Pages above the size of the pool, which go back to the node when they are freed. */
  readonly surplus: number | null;
}

/** One node now. Plain data; `null` where the kernel does not tell. */
export interface NodeStatistics {
  readonly id: NodeId;
  /** `usedBytes` is all that is not free, pools of huge pages included. */
  readonly memory: {
    readonly totalBytes: number | null;
    readonly usedBytes: number | null;
    readonly freeBytes: number | null;
  };
  /** What the node has given out since the machine started; a huge page counts as one. */
  readonly allocations: NodeAllocations | null;
  /** Fields of the node's meminfo in bytes, under the kernel's names and in its order. */
  readonly meminfo: Readonly<Record<string, number>> | null;
  /** One pool for each size that the machine knows, the smallest size first. */
  readonly hugePages: readonly HugePagePool[] | null;
}

/** @throws NumaError NUMA_INVALID_ARGUMENT for a node that has gone offline */
export function readNodeStatistics(context: Context): Promise<NodeStatistics[]> {
  return Promise.all(context.topology.nodes.map(({ id }) => readNode(context, id)));
}

async function readNode(context: Context, id: NodeId): Promise<NodeStatistics> {
  const { backend } = context;
  const folder = `${NODES_FOLDER}/node${id}`;
  const [meminfo, allocations, hugePages] = await Promise.all([
    readFile(backend, `${folder}/meminfo`, parseMeminfo),
    readFile(backend, `${folder}/numastat`, parseNumastat),
    readPools(backend, `${folder}/hugepages`),
  ]);
  return {
    id,
    memory: meminfo === null ? askMemory(context, id) : memoryIn(meminfo),
    allocations,
    meminfo: meminfo === null ? null : Object.fromEntries(meminfo.bytes),
    hugePages,
  };
}

/** The same moment as the other fields. */
function memoryIn({ bytes }: Meminfo): NodeStatistics['memory'] {
  return memoryOf({
    memoryBytes: bytes.get('MemTotal') ?? null,
    freeBytes: bytes.get('MemFree') ?? null,
  });
}

/** A kernel without NUMA has no files of nodes, and all of its memory is one. */
function askMemory(context: Context, id: NodeId): NodeStatistics['memory'] {
  const answer = context.backend.nodeMemory(id);
  return memoryOf(context.unwrap(answer, `memory of node ${id}`, { node: id }));
}

function memoryOf({ memoryBytes, freeBytes }: NodeMemory): NodeStatistics['memory'] {
  const isKnown = memoryBytes !== null && freeBytes !== null;
  const usedBytes = isKnown ? memoryBytes - freeBytes : null;
  return { totalBytes: memoryBytes, usedBytes, freeBytes };
}

async function readPools(backend: Backend, folder: string): Promise<HugePagePool[] | null> {
  const names = await backend.readNames(folder);
  if (!names.ok) return null;
  const pools = await Promise.all(names.value.map((name) => readPool(backend, folder, name)));
  return pools.filter((pool) => pool !== null).sort((a, b) => a.pageSizeBytes - b.pageSizeBytes);
}

async function readPool(
  backend: Backend,
  folder: string,
  name: string,
): Promise<HugePagePool | null> {
  const pageSizeBytes = parsePoolName(name);
  if (pageSizeBytes === null) return null;
  const read = (file: string): Promise<number | null> =>
    readFile(backend, `${folder}/${name}/${file}`, parseCount);
  const [total, free, surplus] = await Promise.all([
    read('nr_hugepages'),
    read('free_hugepages'),
    read('surplus_hugepages'),
  ]);
  return { pageSizeBytes, total, free, surplus };
}
