/**
 * All processes of a machine with where their memory is: what `top` shows.
 */

import { NumaError } from '../core/errors.ts';
import { NodeMask } from '../core/node-mask.ts';
import { backendOf, type Numa } from '../facade/numa.ts';
import type { NodeBytes } from '../facade/process/process-mappings.ts';
import { type ProcessThread, remoteShareOf } from '../facade/process/process-threads.ts';
import { type UnlistedProcesses, unlistedProcesses } from './unlisted-processes.ts';

export interface ProcessSummary {
  readonly pid: number;
  readonly name: string;
  readonly residentBytes: number;
  readonly bytesByNode: NodeBytes;
  /** From 0 to 1, as `remoteShareOf` has it. */
  readonly remoteShare: number | null;
  /** Nodes of the CPUs that its threads ran on last; `null` where the node of none is known. */
  readonly nodesRunOn: NodeMask | null;
  readonly cpuTimeMs: number;
}

export interface ProcessList {
  readonly processes: readonly ProcessSummary[];
  /** Processes that are not ours to look into. */
  readonly hiddenCount: number;
  /** Why there may be more than the machine lists. */
  readonly warnings: readonly UnlistedProcesses[];
}

/** Read one after the other; those that end meanwhile and threads of the kernel are left out. */
export async function readProcesses(numa: Numa): Promise<ProcessList> {
  const processes: ProcessSummary[] = [];
  let hiddenCount = 0;
  for (const pid of await numa.processIds()) {
    const summary = await readSummary(numa, pid);
    if (summary === 'hidden') hiddenCount += 1;
    else if (summary !== 'gone' && summary.residentBytes > 0) processes.push(summary);
  }
  return { processes, hiddenCount, warnings: await unlistedProcesses(backendOf(numa)) };
}

async function readSummary(numa: Numa, pid: number): Promise<ProcessSummary | 'hidden' | 'gone'> {
  const target = numa.process(pid);
  try {
    const { residentBytes, bytesByNode } = await target.residency();
    const threads = await target.threads();
    return {
      pid,
      name: threads.find(({ tid }) => tid === pid)?.name ?? '',
      residentBytes,
      bytesByNode,
      remoteShare: remoteShareOf(bytesByNode, threads),
      nodesRunOn: nodesOf(threads),
      cpuTimeMs: threads.reduce((sum, { cpuTimeMs }) => sum + cpuTimeMs, 0),
    };
  } catch (error) {
    if (!(error instanceof NumaError)) throw error;
    if (error.code === 'NUMA_NOT_PERMITTED') return 'hidden';
    if (error.code === 'NUMA_NO_SUCH_PROCESS') return 'gone';
    throw error;
  }
}

function nodesOf(threads: readonly ProcessThread[]): NodeMask | null {
  const nodes = threads.flatMap(({ node }) => (node === null ? [] : [node]));
  return nodes.length === 0 ? null : NodeMask.from(nodes);
}
