/**
 * This machine's nodes straight from sysfs and /proc, without libnuma and without the system
 * calls that the contract examines.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import type { NodeSnapshot, TopologySnapshot } from '../../lib/backend/topology-snapshot.ts';
import type { WorldMachine } from '../contract/world.ts';

const NODE_FOLDER = '/sys/devices/system/node';
const TIER_FOLDER = '/sys/devices/virtual/memory_tiering';
/** A guest that may be exhausted says so with this file. */
const EXPENDABLE_MARKER = '/etc/node-numa-guest';
const CAP_SETUID = 7n;
const CAP_SYS_NICE = 23n;

function readText(path: string): string {
  return readFileSync(path, 'utf8').trim();
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

function statusField(field: string): string {
  const line = readText('/proc/self/status')
    .split('\n')
    .find((candidate) => candidate.startsWith(`${field}:`));
  if (line === undefined) throw new Error(`/proc/self/status has no ${field}`);
  return line.slice(field.length + 1).trim();
}

function hasCapability(bit: bigint): boolean {
  return ((BigInt(`0x${statusField('CapEff')}`) >> bit) & 1n) === 1n;
}

/** Undefined where the kernel knows no tiers. */
function readTier(id: number): number | undefined {
  if (!existsSync(TIER_FOLDER)) return undefined;
  const name = readdirSync(TIER_FOLDER).find((entry) => {
    const nodes = `${TIER_FOLDER}/${entry}/nodelist`;
    return existsSync(nodes) && parseList(readText(nodes)).includes(id);
  });
  return name === undefined ? undefined : Number(name.slice('memory_tier'.length));
}

function readNode(id: number): NodeSnapshot {
  const meminfo = readText(`${NODE_FOLDER}/node${id}/meminfo`);
  const tier = readTier(id);
  return {
    id,
    ...(tier === undefined ? {} : { tier }),
    cpus: parseList(readText(`${NODE_FOLDER}/node${id}/cpulist`)),
    memoryBytes: meminfoBytes(meminfo, 'MemTotal'),
    freeBytes: meminfoBytes(meminfo, 'MemFree'),
  };
}

function readTopology(): TopologySnapshot {
  const online = readdirSync(NODE_FOLDER)
    .filter((name) => /^node\d+$/.test(name))
    .map((name) => Number(name.slice(4)))
    .sort((a, b) => a - b);
  return {
    nodes: online.map(readNode),
    distances: online.map((id) =>
      readText(`${NODE_FOLDER}/node${id}/distance`).split(/\s+/).map(Number),
    ),
    allowedNodes: parseList(statusField('Mems_allowed_list')),
  };
}

function readPageSize(): number {
  const match = /KernelPageSize:\s+(\d+) kB/.exec(readText('/proc/self/smaps'));
  return Number(match?.[1] ?? 4) * 1024;
}

/** Free bytes of one node now. */
export function freeBytesOf(node: number): number {
  return readNode(node).freeBytes;
}

export function readHostMachine(): WorldMachine {
  const topology = readTopology();
  const withMemory = new Set(parseList(readText(`${NODE_FOLDER}/has_memory`)));
  const possible = parseList(readText(`${NODE_FOLDER}/possible`));
  return {
    kernel: release(),
    pageSizeBytes: readPageSize(),
    memoryNodes: topology.allowedNodes.filter((node) => withMemory.has(node)),
    topology,
    possibleNodeCount: Math.max(...possible) + 1,
    // The mask is printed with every bit that the kernel's build has.
    nodesMax: statusField('Mems_allowed').replaceAll(',', '').length * 4,
    isPrivileged: hasCapability(CAP_SYS_NICE),
    canChangeUser: hasCapability(CAP_SETUID),
    isExpendable: existsSync(EXPENDABLE_MARKER),
  };
}
