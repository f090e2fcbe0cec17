/**
 * A machine's nodes straight from sysfs and /proc, without libnuma and without the system calls
 * that the contract examines: this machine's, or a guest's through one of its processes.
 */

import type { KnownNode, KnownTopology } from '../../lib/backend/topology-snapshot.ts';
import { readNames, readText } from '../../lib/native-backend/system-files.ts';
import type { TextFiles, WorldMachine } from '../contract/world.ts';

const NODE_FOLDER = '/sys/devices/system/node';
const TIER_FOLDER = '/sys/devices/virtual/memory_tiering';
/** A guest that may be exhausted says so with this file. */
const EXPENDABLE_MARKER = '/etc/node-numa-guest';
const CAP_SETUID = 7n;
const CAP_SYS_NICE = 23n;

async function textOf(files: TextFiles, path: string): Promise<string> {
  const result = await files.readText(path);
  if (!result.ok) throw new Error(`${path} cannot be read: errno ${result.errno}`);
  return result.value.trim();
}

/** None of a folder that is not there. */
async function namesIn(files: TextFiles, folder: string): Promise<string[]> {
  const result = await files.readNames(folder);
  return result.ok ? result.value : [];
}

/** Numbers of a kernel list: `0-2,5`. */
export function parseList(text: string): number[] {
  if (text === '') return [];
  return text.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i);
  });
}

function meminfoBytes(text: string, field: string): number {
  const match = new RegExp(`${field}:\\s+(\\d+) kB`).exec(text);
  return match?.[1] === undefined ? 0 : Number(match[1]) * 1024;
}

function statusField(status: string, field: string): string {
  const line = status.split('\n').find((candidate) => candidate.startsWith(`${field}:`));
  if (line === undefined) throw new Error(`/proc/self/status has no ${field}`);
  return line.slice(field.length + 1).trim();
}

function hasCapability(status: string, bit: bigint): boolean {
  return ((BigInt(`0x${statusField(status, 'CapEff')}`) >> bit) & 1n) === 1n;
}

/** Node → tier; empty where the kernel knows no tiers. */
async function readTiers(files: TextFiles): Promise<Map<number, number>> {
  const tiers = new Map<number, number>();
  for (const name of await namesIn(files, TIER_FOLDER)) {
    const list = await files.readText(`${TIER_FOLDER}/${name}/nodelist`);
    const tier = Number(name.slice('memory_tier'.length));
    if (list.ok) for (const node of parseList(list.value.trim())) tiers.set(node, tier);
  }
  return tiers;
}

async function readNode(files: TextFiles, id: number, tier?: number): Promise<KnownNode> {
  const folder = `${NODE_FOLDER}/node${id}`;
  const meminfo = await textOf(files, `${folder}/meminfo`);
  return {
    id,
    ...(tier === undefined ? {} : { tier }),
    cpus: parseList(await textOf(files, `${folder}/cpulist`)),
    memoryBytes: meminfoBytes(meminfo, 'MemTotal'),
    freeBytes: meminfoBytes(meminfo, 'MemFree'),
  };
}

async function readTopology(files: TextFiles, status: string): Promise<KnownTopology> {
  const online = (await namesIn(files, NODE_FOLDER))
    .filter((name) => /^node\d+$/.test(name))
    .map((name) => Number(name.slice(4)))
    .sort((a, b) => a - b);
  const tiers = await readTiers(files);
  const nodes: KnownNode[] = [];
  const distances: number[][] = [];
  for (const id of online) {
    nodes.push(await readNode(files, id, tiers.get(id)));
    const row = await textOf(files, `${NODE_FOLDER}/node${id}/distance`);
    distances.push(row.split(/\s+/).map(Number));
  }
  return { nodes, distances, allowedNodes: parseList(statusField(status, 'Mems_allowed_list')) };
}

/** The machine whose files these are, as the process that reads them is on it. */
export async function readMachine(files: TextFiles): Promise<WorldMachine> {
  const status = await textOf(files, '/proc/self/status');
  const smaps = await textOf(files, '/proc/self/smaps');
  const topology = await readTopology(files, status);
  const withMemory = new Set(parseList(await textOf(files, `${NODE_FOLDER}/has_memory`)));
  const possible = parseList(await textOf(files, `${NODE_FOLDER}/possible`));
  return {
    kernel: await textOf(files, '/proc/sys/kernel/osrelease'),
    pageSizeBytes: Number(/KernelPageSize:\s+(\d+) kB/.exec(smaps)?.[1] ?? 4) * 1024,
    memoryNodes: topology.allowedNodes.filter((node) => withMemory.has(node)),
    topology,
    possibleNodeCount: Math.max(...possible) + 1,
    // The mask is printed with every bit that the kernel's build has.
    nodesMax: statusField(status, 'Mems_allowed').replaceAll(',', '').length * 4,
    isPrivileged: hasCapability(status, CAP_SYS_NICE),
    canChangeUser: hasCapability(status, CAP_SETUID),
    isExpendable: (await files.readText(EXPENDABLE_MARKER)).ok,
  };
}

/** The machine that this process runs on. */
export function readHostMachine(): Promise<WorldMachine> {
  return readMachine({ readNames, readText });
}
