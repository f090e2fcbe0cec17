/**
 * A process's threads: where they run, and how much of its memory is remote to them.
 *
 * Source: proc_pid_stat(5), field 39; proc_pid_status(5).
 */

import { invalidArgumentType } from '../../core/argument-errors.ts';
import { checkArray, checkInteger, reading, readMembers } from '../../core/check-arguments.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { CLOCK_TICK_MS, NODE_ID_MAX } from '../../core/uapi.ts';
import { parseStat } from '../../procfs/stat.ts';
import type { Topology } from '../topology.ts';
import { type ProcessFiles, readProcessStat, readTextOf } from './process-files.ts';
import type { NodeBytes } from './process-mappings.ts';
import { refusalOf } from './process-refusal.ts';

export interface ProcessThread {
  readonly tid: number;
  readonly name: string;
  /** One letter: R running, S sleeping, D in the kernel, T stopped. */
  readonly state: string;
  /** The CPU that it ran on last. */
  readonly cpu: number;
  /** That CPU's node; `null` for a CPU that the topology does not have. */
  readonly node: NodeId | null;
  /** CPU time since it started, in milliseconds. */
  readonly cpuTimeMs: number;
}

/** The kernel tells times in hundredths of a second, whatever its own ticks: USER_HZ. */

/**
 * The threads, ascending by id; one that ends meanwhile is left out.
 * @throws NumaError NUMA_NO_SUCH_PROCESS, NUMA_NOT_PERMITTED, NUMA_UNSUPPORTED; the signal's reason
 */
export async function readThreads(
  files: ProcessFiles,
  topology: Topology,
): Promise<ProcessThread[]> {
  const folder = `/proc/${files.pid}/task`;
  const names = await files.backend.readNames(folder);
  if (!names.ok) throw await refusalOf(files, names, { asked: `reading ${folder}` });
  const ids = names.value.map(Number).sort((a, b) => a - b);
  const nodeOfCpu = new Map(
    topology.nodes.flatMap(({ id, cpus }) => (cpus ?? []).map((cpu) => [cpu, id])),
  );
  const threads: ProcessThread[] = [];
  for (const id of ids) {
    const text = await readTextOf(files, `task/${id}/stat`);
    const stat = text.ok ? parseStat(text.value) : null;
    if (stat === null) continue;
    const { name, state, processor: cpu, cpuTicks } = stat;
    const node = nodeOfCpu.get(cpu) ?? null;
    threads.push({ tid: id, name, state, cpu, node, cpuTimeMs: cpuTicks * CLOCK_TICK_MS });
  }
  // A process without a thread has ended since.
  if (threads.length === 0) await readProcessStat(files);
  return threads;
}

/**
 * The share of accesses that would go to another node, from 0 to 1, if every thread touched all of
 * the memory alike: threads count by their CPU time. 0 where there is no memory; `null` where the
 * node of no thread is known.
 * @throws TypeError, RangeError for figures that are none
 */
export function remoteShareOf(
  bytesByNode: NodeBytes,
  threads: readonly ProcessThread[],
): number | null {
  const onNodes = checkBytes(bytesByNode);
  const placed = checkArray(threads, 'threads')
    .map(placeOf)
    .filter(({ node }) => node !== null);
  const hasRun = placed.some(({ cpuTimeMs }) => cpuTimeMs > 0);
  const bytes = [...onNodes.values()].reduce((sum, onNode) => sum + onNode, 0);
  if (bytes === 0) return 0;
  if (placed.length === 0) return null;
  // Summed as whole numbers, and all of it in the same way as the remote part: none is 0, all is 1.
  let [remote, all] = [0, 0];
  for (const { node, cpuTimeMs } of placed) {
    const weight = hasRun ? cpuTimeMs : 1;
    remote += weight * (bytes - (onNodes.get(`${node}`) ?? 0));
    all += weight * bytes;
  }
  return remote / all;
}

/** Bytes by the name of the node. */
function checkBytes(bytesByNode: unknown): Map<string, number> {
  const argument = 'bytesByNode';
  if (typeof bytesByNode !== 'object' || bytesByNode === null) {
    throw invalidArgumentType(argument, 'an object of bytes by node', bytesByNode);
  }
  const entries = reading(bytesByNode, argument, () => Object.entries(bytesByNode));
  return new Map(entries.map(([node, bytes]) => [node, checkInteger(bytes, argument, 0)]));
}

function placeOf(thread: unknown): Pick<ProcessThread, 'cpuTimeMs'> & { node: NodeId | null } {
  const names = ['node', 'cpuTimeMs'] as const;
  const { node = null, cpuTimeMs } = readMembers<ProcessThread>(thread, 'threads', names);
  return {
    node: node === null ? null : checkInteger(node, 'threads.node', 0, NODE_ID_MAX),
    cpuTimeMs: checkInteger(cpuTimeMs, 'threads.cpuTimeMs', 0),
  };
}
