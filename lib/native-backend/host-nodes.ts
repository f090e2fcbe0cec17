/**
 * This host's nodes as its kernel tells them now: read from sysfs each time, since nodes come and
 * go, and libnuma reads them once. A file that is absent or unreadable leaves its fact unknown.
 *
 * A kernel without NUMA has no nodes to tell, and a sandbox may hide them: then node 0 stands for
 * the whole machine, or the nodes that the kernel lets the thread use are all that is known.
 *
 * Source: Documentation/ABI/stable/sysfs-devices-node, .../testing/sysfs-kernel-mm-memory-tiers;
 * proc_meminfo(5), proc_stat(5), proc_pid_status(5).
 */

import { cpus, platform, totalmem } from 'node:os';
import type { SyscallFailure, SyscallResult } from '../backend/syscall-result.ts';
import type {
  MemoryAccess,
  NodeMemory,
  NodeSnapshot,
  TopologySnapshot,
} from '../backend/topology-snapshot.ts';
import { describe } from '../core/argument-errors.ts';
import { ERRNO, errnoName } from '../core/errno.ts';
import { CPU_ID_MAX, LOCAL_DISTANCE, NODE_ID_MAX } from '../core/uapi.ts';
import { parseMeminfo } from '../procfs/meminfo.ts';
import {
  NODES_FOLDER,
  parseCount,
  parseDistances,
  parseList,
  parseOnlineCpus,
} from '../procfs/node-files.ts';
import { parseStatus } from '../procfs/status.ts';
import { readCpuGroups } from './host-cpus.ts';
import { readTextSync } from './system-files.ts';

const ONLINE_PATH = `${NODES_FOLDER}/online`;
const POSSIBLE_NODES_PATH = `${NODES_FOLDER}/possible`;
const POSSIBLE_CPUS_PATH = '/sys/devices/system/cpu/possible';
const HAS_MEMORY_PATH = `${NODES_FOLDER}/has_memory`;
const CPUS_ONLINE_PATH = '/sys/devices/system/cpu/online';
const TIERS_FOLDER = '/sys/devices/virtual/memory_tiering';
/** Of the thread that reads it. */
const STATUS_PATH = '/proc/thread-self/status';

/** How a file that is not there, or not to be seen, answers; anything else is trouble. */
const HIDDEN: ReadonlySet<number> = new Set([
  ERRNO.ENOENT,
  ERRNO.ENOTDIR,
  ERRNO.EACCES,
  ERRNO.EPERM,
]);

/** What the nodes are read from; tests have hosts of their own. */
export interface HostSources {
  readonly readText: (path: string) => SyscallResult<string>;
  readonly readNames: (path: string) => SyscallResult<string[]>;
  /** The nodes that the calling thread may use: get_mempolicy(2) with MPOL_F_MEMS_ALLOWED. */
  readonly askAllowed: () => SyscallResult<readonly number[]>;
}

/** Which nodes there are. */
interface NodeList {
  readonly ids: readonly number[];
  readonly allowed: readonly number[];
  /** Node 0 stands for all. */
  readonly isWholeMachine: boolean;
  readonly incompleteReason?: string;
}

export function readTopology(sources: HostSources): SyscallResult<TopologySnapshot> {
  const listed = listNodes(sources);
  if (!listed.ok) return listed;
  const { ids, allowed, incompleteReason } = listed.value;
  const tiers = memoryTiers(sources);
  const nodes = ids.map((id): NodeSnapshot => {
    const tier = tiers.get(id);
    const cpus = cpusOf(id, listed.value, sources);
    const memory = memoryOf(id, listed.value, sources);
    const access = accessTo(id, sources);
    return {
      ...{ id, cpus, ...memory },
      ...(tier === undefined ? {} : { tier }),
      ...(access.length === 0 ? {} : { access }),
    };
  });
  const value = {
    nodes,
    distances: ids.map((id) => distancesFrom(id, listed.value, sources)),
    allowedNodes: allowed,
    ...possible('possibleNodes', sources, POSSIBLE_NODES_PATH, NODE_ID_MAX),
    ...possible('possibleCpus', sources, POSSIBLE_CPUS_PATH, CPU_ID_MAX),
    ...readCpuGroups(
      nodes.flatMap(({ cpus }) => cpus ?? []),
      sources,
    ),
    ...(incompleteReason === undefined ? {} : { incompleteReason }),
  };
  return { ok: true, value };
}

/** EINVAL under the name of libnuma's function for it: there is no such node. */
export function readNodeMemory(node: number, sources: HostSources): SyscallResult<NodeMemory> {
  const listed = listNodes(sources);
  if (!listed.ok) return listed;
  if (!listed.value.ids.includes(node)) {
    return { ok: false, errno: ERRNO.EINVAL, syscall: 'numa_node_size64' };
  }
  return { ok: true, value: memoryOf(node, listed.value, sources) };
}

function listNodes(sources: HostSources): SyscallResult<NodeList> {
  const asked = sources.askAllowed();
  const allowed = asked.ok ? asked.value : allowedByStatus(sources.readText);
  const text = sources.readText(ONLINE_PATH);
  if (!text.ok && !HIDDEN.has(text.errno)) return { ...text, path: ONLINE_PATH };
  const online = text.ok ? parseList(text.value, NODE_ID_MAX) : null;
  if (online !== null && online.length > 0) {
    return { ok: true, value: { ids: online, allowed, isWholeMachine: false } };
  }
  const refusal = asked.ok ? '' : `; get_mempolicy: ${errnoName(asked.errno)}`;
  const untold = `this host does not tell its nodes (${whyHidden(text, ONLINE_PATH)}${refusal})`;
  if (allowed.some((node) => node > 0)) {
    const incompleteReason = `${untold}: those that this thread may use are known by number alone`;
    return { ok: true, value: { ids: allowed, allowed, isWholeMachine: false, incompleteReason } };
  }
  const incompleteReason = `${untold}: node 0 stands for all of its memory and CPUs`;
  return { ok: true, value: { ids: [0], allowed: [0], isWholeMachine: true, incompleteReason } };
}

function whyHidden(answer: SyscallFailure | { value: string; ok: true }, path: string): string {
  return answer.ok
    ? `${path} says ${describe(answer.value)}`
    : `${answer.syscall} ${path}: ${errnoName(answer.errno)}`;
}

function allowedByStatus(readText: HostSources['readText']): readonly number[] {
  const text = readText(STATUS_PATH);
  return (text.ok ? parseStatus(text.value).nodesAllowed : null) ?? [];
}

function memoryOf(id: number, { isWholeMachine }: NodeList, sources: HostSources): NodeMemory {
  const path = isWholeMachine ? '/proc/meminfo' : `${NODES_FOLDER}/node${id}/meminfo`;
  const text = sources.readText(path);
  const { bytes } = parseMeminfo(text.ok ? text.value : '');
  return {
    memoryBytes: bytes.get('MemTotal') ?? null,
    freeBytes: bytes.get('MemFree') ?? null,
  };
}

function cpusOf(id: number, nodes: NodeList, { readText }: HostSources): readonly number[] | null {
  const own = `${NODES_FOLDER}/node${id}/cpulist`;
  const text = readText(nodes.isWholeMachine ? CPUS_ONLINE_PATH : own);
  const cpus = text.ok ? parseList(text.value, CPU_ID_MAX) : null;
  if (!nodes.isWholeMachine || (cpus !== null && cpus.length > 0)) return cpus;
  const statistics = readText('/proc/stat');
  return statistics.ok ? parseOnlineCpus(statistics.value) : null;
}

/** A row that fits the nodes; one of another length was written while a node came or went. */
function distancesFrom(
  id: number,
  { ids, isWholeMachine }: NodeList,
  { readText }: HostSources,
): readonly (number | null)[] {
  if (isWholeMachine) return [LOCAL_DISTANCE];
  const text = readText(`${NODES_FOLDER}/node${id}/distance`);
  const row = text.ok ? parseDistances(text.value) : null;
  return row?.length === ids.length ? row : ids.map(() => null);
}

/** This host's nodes with memory, whatever this process may use. */
export interface HostMemoryNodes {
  /** At least 1. */
  readonly count: number;
  /** A sentence without a full stop that says so, and where it is from if not from the nodes. */
  readonly reason: string;
}

/** Asked before the addon is loaded: what the kernel's files tell without a system call of ours. */
export function hostMemoryNodes(readText: HostSources['readText'] = readTextSync): HostMemoryNodes {
  const text = readText(HAS_MEMORY_PATH);
  const told = (text.ok ? parseList(text.value, NODE_ID_MAX) : null)?.length ?? 0;
  if (told > 1) return { count: told, reason: `this host has ${told} nodes with memory` };
  if (told === 1) return { count: 1, reason: 'this host has one node with memory' };
  const untold = `this host does not tell its nodes (${whyHidden(text, HAS_MEMORY_PATH)})`;
  const allowed = allowedByStatus(readText);
  if (allowed.length > 1) {
    const count = allowed.length;
    return { count, reason: `${untold}, and lets this thread use ${count}` };
  }
  return { count: 1, reason: `${untold}, and counts as one` };
}

/** This host as a single node, on any platform, without a system call of ours. */
export function hostAsOneNode(): { readonly memoryBytes: number; readonly cpus: number[] } {
  const text = platform() === 'linux' ? readTextSync(CPUS_ONLINE_PATH) : undefined;
  const online = (text?.ok ? parseList(text.value, CPU_ID_MAX) : null) ?? [];
  const counted = Array.from({ length: Math.max(1, cpus().length) }, (_, cpu) => cpu);
  return { memoryBytes: totalmem(), cpus: online.length > 0 ? online : counted };
}

/** Memory tier by node; empty on kernels without tiers (they came with Linux 6.1). */
function memoryTiers({ readNames, readText }: HostSources): Map<number, number> {
  const tiers = new Map<number, number>();
  const names = readNames(TIERS_FOLDER);
  for (const name of names.ok ? names.value : []) {
    const match = /^memory_tier(\d+)$/.exec(name);
    if (match === null) continue;
    const text = readText(`${TIERS_FOLDER}/${name}/nodelist`);
    for (const node of (text.ok ? parseList(text.value, NODE_ID_MAX) : null) ?? []) {
      tiers.set(node, Number(match[1]));
    }
  }
  return tiers;
}

/**
 * What the firmware tells of a node's memory: class 0 from the best of all initiators, devices
 * included, class 1 from the best CPUs.
 * Source: Documentation/admin-guide/mm/numaperf.rst; drivers/base/node.c.
 */
function accessTo(id: number, { readNames, readText }: HostSources): MemoryAccess[] {
  const found: MemoryAccess[] = [];
  const node = `${NODES_FOLDER}/node${id}`;
  const entries = readNames(node);
  for (const accessClass of ['access0', 'access1']) {
    // Most machines have none: one look in the place of ten.
    if (!entries.ok || !entries.value.includes(accessClass)) continue;
    const folder = `${node}/${accessClass}/initiators`;
    const names = readNames(folder);
    const initiators = (names.ok ? names.value : []).flatMap((name) => {
      const initiator = /^node(\d{1,4})$/.exec(name)?.[1];
      return initiator === undefined ? [] : [Number(initiator)];
    });
    const read = (name: string): number | null => {
      const text = readText(`${folder}/${name}`);
      // 0 stands for unknown.
      return (text.ok ? parseCount(text.value) : null) || null;
    };
    const access = {
      initiators: initiators.sort((a, b) => a - b),
      readLatencyNs: read('read_latency'),
      writeLatencyNs: read('write_latency'),
      readBandwidthMBps: read('read_bandwidth'),
      writeBandwidthMBps: read('write_bandwidth'),
    };
    const isKnown = access.readLatencyNs !== null || access.readBandwidthMBps !== null;
    const isOther = JSON.stringify(found[0]) !== JSON.stringify(access);
    if (initiators.length > 0 && isKnown && isOther) found.push(access);
  }
  return found;
}

/** The member with what a file lists, nothing where it does not. */
function possible(
  member: 'possibleNodes' | 'possibleCpus',
  { readText }: HostSources,
  path: string,
  idMax: number,
): Partial<TopologySnapshot> {
  const text = readText(path);
  const ids = text.ok ? parseList(text.value, idMax) : null;
  return ids === null ? {} : { [member]: ids };
}
