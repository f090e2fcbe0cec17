/**
 * A NUMA machine as data, the same for the simulator and for the QEMU guest, and what is wrong with
 * a description: the first broken rule, as Node's own argument errors have it, naming the member.
 */

import { invalidArgumentType, invalidArgumentValue, outOfRange } from './argument-errors.ts';
import { checkInteger, LIST_LENGTH_MAX, plainCopy } from './check-arguments.ts';
import { CPU_ID_MAX, LOCAL_DISTANCE, NODE_ID_MAX } from './uapi.ts';

export interface MachineNode {
  readonly id: number;
  readonly memoryMiB: number;
  /** Empty for a node with memory only. */
  readonly cpus: readonly number[];
  /** The physical package of its CPUs: nodes with the same number are parts of one. */
  readonly package?: number;
  /** The node whose CPUs reach this memory best; its own if it has CPUs. */
  readonly initiator?: number;
  /** From the initiator. */
  readonly readLatencyNs?: number;
  /** From the initiator. */
  readonly readBandwidthMBps?: number;
}

export interface MachineDescription {
  readonly name: string;
  readonly description: string;
  /** Ascending by id. */
  readonly nodes: readonly MachineNode[];
  /** Rows and columns in the order of `nodes`; 10 is local. */
  readonly distances: readonly (readonly number[])[];
}

/** 52 bits of physical address, the most that processors have: 4 PiB. */
const MEMORY_MIB_MAX = 2 ** 32;
/** 255 stands for "unreachable" in the firmware's table. */
const DISTANCE_MAX = 254;
/** The firmware's table has 16 bits for each latency and bandwidth; all ones mean "unknown". */
const PERFORMANCE_MAX = 65_534;

const MEMBERS = ['name', 'description', 'nodes', 'distances'];
const SPEED_MEMBERS = ['readLatencyNs', 'readBandwidthMBps'] as const;
const PERFORMANCE_MEMBERS = ['initiator', ...SPEED_MEMBERS] as const;
const NODE_MEMBERS = ['id', 'memoryMiB', 'cpus', 'package', ...PERFORMANCE_MEMBERS];

/**
 * A copy of the value, checked; read from JSON or written by hand.
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE; RangeError ERR_OUT_OF_RANGE
 */
export function checkMachineDescription(value: unknown): MachineDescription {
  const machine = record(plainCopy(value, 'machine'), 'machine');
  const { name, description = '', nodes, distances } = machine;
  if (typeof name !== 'string') throw invalidArgumentType('machine.name', 'a string', name);
  if (name === '') throw invalidArgumentValue('machine.name', 'must not be empty', name);
  if (typeof description !== 'string') {
    throw invalidArgumentType('machine.description', 'a string', description);
  }
  const list = array(nodes, 'machine.nodes');
  if (list.length === 0) throw invalidArgumentValue('machine.nodes', 'must have a node', nodes);
  const checked = list.map((node, index) => checkNode(node, `machine.nodes[${index}]`));
  checkIds(checked);
  checkMemory(checked);
  checkCpus(checked);
  checkPackages(checked);
  checkPerformance(checked);
  checkDistances(distances, checked.length);
  rejectUnknown(machine, 'machine', MEMBERS);
  return machine as unknown as MachineDescription;
}

function checkNode(value: unknown, member: string): MachineNode {
  const node = record(value, member);
  checkInteger(node['id'], `${member}.id`, 0, NODE_ID_MAX);
  const memoryMiB = checkInteger(node['memoryMiB'], `${member}.memoryMiB`, 0, MEMORY_MIB_MAX);
  const cpus = array(node['cpus'], `${member}.cpus`);
  cpus.forEach((cpu, index) => void checkInteger(cpu, `${member}.cpus[${index}]`, 0, CPU_ID_MAX));
  rejectUnknown(node, member, NODE_MEMBERS);
  if (memoryMiB === 0 && cpus.length === 0) {
    const rule = 'must have memory or a CPU: a node with neither is not online';
    throw invalidArgumentValue(member, rule, value);
  }
  return value as MachineNode;
}

function checkIds(nodes: readonly MachineNode[]): void {
  nodes.forEach(({ id }, index) => {
    const before = nodes[index - 1]?.id ?? -1;
    if (id > before) return;
    const rule = `it must be greater than the one before it, ${before}`;
    throw outOfRange(`machine.nodes[${index}].id`, rule, id);
  });
}

function checkMemory(nodes: readonly MachineNode[]): void {
  const totalMiB = nodes.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0);
  if (totalMiB === 0) {
    throw invalidArgumentValue('machine.nodes', 'must include a node with memory', nodes);
  }
  if (totalMiB <= MEMORY_MIB_MAX) return;
  const rule = `all together must be at most ${MEMORY_MIB_MAX}`;
  throw outOfRange('machine.nodes[].memoryMiB', rule, totalMiB);
}

function checkCpus(nodes: readonly MachineNode[]): void {
  const memberOf = new Map<number, string>();
  nodes.forEach(({ cpus }, node) => {
    cpus.forEach((cpu, index) => {
      const member = `machine.nodes[${node}].cpus[${index}]`;
      const other = memberOf.get(cpu);
      if (other !== undefined) throw outOfRange(member, `the CPU is that of ${other}, too`, cpu);
      memberOf.set(cpu, member);
    });
  });
  if (memberOf.size > 0) return;
  throw invalidArgumentValue('machine.nodes', 'must include a node with a CPU', nodes);
}

/** All CPUs are in a package that is told, or none is. */
function checkPackages(nodes: readonly MachineNode[]): void {
  if (nodes.every((node) => node.package === undefined)) return;
  nodes.forEach((node, index) => {
    const member = `machine.nodes[${index}].package`;
    if (node.cpus.length > 0) checkInteger(node.package, member, 0, CPU_ID_MAX);
    else if (node.package !== undefined) {
      throw invalidArgumentValue(member, 'is of CPUs, and there are none', node.package);
    }
  });
}

/** Latencies and bandwidths describe all of the memory or none: the kernel ranks nodes by them. */
function checkPerformance(nodes: readonly MachineNode[]): void {
  const isGiven = (node: MachineNode, name: string): boolean => Object.hasOwn(node, name);
  if (!nodes.some((node) => PERFORMANCE_MEMBERS.some((name) => isGiven(node, name)))) return;
  const initiators = nodes.filter(({ cpus }) => cpus.length > 0).map(({ id }) => id);
  nodes.forEach((node, index) => {
    const member = `machine.nodes[${index}]`;
    if (node.memoryMiB === 0) {
      const given = PERFORMANCE_MEMBERS.find((name) => isGiven(node, name));
      if (given === undefined) return;
      const rule = 'describes memory, and there is none';
      throw invalidArgumentValue(`${member}.${given}`, rule, node[given]);
    }
    for (const name of SPEED_MEMBERS)
      checkInteger(node[name], `${member}.${name}`, 1, PERFORMANCE_MAX);
    checkInitiator(node, initiators, `${member}.initiator`);
  });
}

function checkInitiator(
  { id, cpus, initiator = cpus.length > 0 ? id : -1 }: MachineNode,
  initiators: readonly number[],
  member: string,
): void {
  const isOwn = cpus.length === 0 || initiator === id;
  if (initiators.includes(initiator) && isOwn) return;
  const rule = `it must be a node with CPUs (${initiators.join(', ')}), its own if it has some`;
  throw outOfRange(member, rule, initiator);
}

function checkDistances(distances: unknown, count: number): void {
  const shape = `must be ${count} rows of ${count} numbers, in the order of nodes`;
  const sized = (value: unknown, member: string): readonly unknown[] => {
    const list = array(value, member);
    if (list.length === count) return list;
    throw invalidArgumentValue(member, shape, value);
  };
  sized(distances, 'machine.distances').forEach((row, from) => {
    sized(row, `machine.distances[${from}]`).forEach((distance, to) => {
      const member = `machine.distances[${from}][${to}]`;
      const [min, max] =
        from === to ? [LOCAL_DISTANCE, LOCAL_DISTANCE] : [LOCAL_DISTANCE + 1, DISTANCE_MAX];
      checkInteger(distance, member, min, max);
    });
  });
}

function rejectUnknown(
  value: Record<string, unknown>,
  member: string,
  known: readonly string[],
): void {
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue;
    throw invalidArgumentValue(
      `${member}.${name}`,
      `is not known; known are ${known.join(', ')}`,
      name,
    );
  }
}

function record(value: unknown, member: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw invalidArgumentType(member, 'an object', value);
}

function array(value: unknown, member: string): readonly unknown[] {
  if (Array.isArray(value) && value.length <= LIST_LENGTH_MAX) return value;
  throw invalidArgumentType(member, 'an array', value);
}
