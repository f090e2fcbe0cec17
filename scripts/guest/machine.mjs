// @ts-check
// The description of a NUMA machine: reading it from JSON and telling what is wrong with it.
// It says nothing about who realises the machine: an emulated one or a simulated one.

import { readFileSync } from 'node:fs';

/**
 * @typedef {object} MachineNode
 * @property {number} id
 * @property {number} memoryMiB
 * @property {number[]} cpus
 * @property {number} [initiator] the node whose CPUs reach this memory best; its own if it has CPUs
 * @property {number} [readLatencyNs] from the initiator; writes take as long
 * @property {number} [readBandwidthMBps] from the initiator; writes get as much
 */

/**
 * @typedef {object} Machine
 * @property {string} name
 * @property {string} description
 * @property {MachineNode[]} nodes in ascending order of id
 * @property {number[][]} distances rows and columns in the order of `nodes`
 */

const performanceMembers = ['initiator', 'readLatencyNs', 'readBandwidthMBps'];
const nodeIdMax = 1023;
const cpuIdMax = 8191;
// 52 bits of physical address, the most that processors have: 4 PiB.
const memoryMax = 2 ** 32;
const localDistance = 10;
// 255 stands for "unreachable" in the firmware's table.
const distanceMax = 254;
// The firmware's table of latencies and bandwidths has 16 bits for each; all ones mean "unknown".
export const performanceMax = 65_534;

const shownMax = 60;

/** A machine description that breaks a rule. The message names member, rule and value. */
export class MachineError extends Error {
  /**
   * @param {string} member
   * @param {string} rule
   * @param {unknown} [value] what is there in its place
   */
  constructor(member, rule, value) {
    const text = value === undefined ? '' : `, not ${JSON.stringify(value).slice(0, shownMax)}`;
    super(`machine description: ${member} ${rule}${text}`);
    this.name = 'MachineError';
    this.member = member;
  }
}

/**
 * @param {string} path
 * @returns {Machine}
 */
export function readMachine(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new MachineError(path, `cannot be read: ${messageOf(error)}`);
  }
  try {
    return checkMachine(JSON.parse(text));
  } catch (error) {
    if (error instanceof MachineError) throw error;
    throw new MachineError(path, `is not JSON: ${messageOf(error)}`);
  }
}

/**
 * @param {unknown} value
 * @returns {Machine} the same value, checked
 */
export function checkMachine(value) {
  const machine = record('the description', value);
  const { name, description = '', nodes, distances } = machine;
  demand(typeof name === 'string' && name !== '', 'name', 'must be a non-empty string', name);
  demand(typeof description === 'string', 'description', 'must be a string', description);
  demand(Array.isArray(nodes) && nodes.length > 0, 'nodes', 'must be a list of at least one node');
  const checked = /** @type {unknown[]} */ (nodes).map(checkNode);
  checkIds(checked);
  checkMemory(checked);
  checkCpus(checked);
  checkPerformance(checked);
  checkDistances(distances, checked.length);
  rejectUnknown('', machine, ['name', 'description', 'nodes', 'distances']);
  return /** @type {Machine} */ (value);
}

/**
 * @param {unknown} value
 * @param {number} index
 * @returns {MachineNode}
 */
function checkNode(value, index) {
  const member = `nodes[${index}]`;
  const node = record(member, value);
  const { id, memoryMiB, cpus } = node;
  demandInteger(id, 0, nodeIdMax, `${member}.id`);
  demandInteger(memoryMiB, 0, memoryMax, `${member}.memoryMiB`);
  demand(Array.isArray(cpus), `${member}.cpus`, 'must be a list of CPU numbers', cpus);
  /** @type {unknown[]} */ (cpus).forEach((cpu, place) => {
    demandInteger(cpu, 0, cpuIdMax, `${member}.cpus[${place}]`);
  });
  rejectUnknown(`${member}.`, node, ['id', 'memoryMiB', 'cpus', ...performanceMembers]);
  const checked = /** @type {MachineNode} */ (/** @type {unknown} */ (node));
  demand(
    checked.memoryMiB > 0 || checked.cpus.length > 0,
    member,
    'must have memory or a CPU: a node with neither is not online',
  );
  return checked;
}

/** @param {MachineNode[]} nodes */
function checkIds(nodes) {
  nodes.forEach((node, index) => {
    const previous = nodes[index - 1]?.id ?? -1;
    const rule = `must be greater than the id before it, ${previous}`;
    demand(node.id > previous, `nodes[${index}].id`, rule, node.id);
  });
}

/** @param {MachineNode[]} nodes */
function checkMemory(nodes) {
  const total = memoryOf(nodes);
  demand(total > 0, 'nodes', 'must include a node with memory');
  const rule = `must together be at most ${memoryMax}`;
  demand(total <= memoryMax, 'nodes[].memoryMiB', rule, total);
}

/**
 * @param {MachineNode[]} nodes
 * @returns {number} MiB of all together
 */
export function memoryOf(nodes) {
  return nodes.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0);
}

/** @param {MachineNode[]} nodes */
function checkCpus(nodes) {
  /** @type {Map<number, string>} */
  const memberOf = new Map();
  nodes.forEach(({ cpus }, node) => {
    cpus.forEach((cpu, place) => {
      const member = `nodes[${node}].cpus[${place}]`;
      demand(!memberOf.has(cpu), member, `must not be that of ${memberOf.get(cpu)}, too`, cpu);
      memberOf.set(cpu, member);
    });
  });
  demand(memberOf.size > 0, 'nodes', 'must include a node with a CPU');
}

/**
 * Latencies and bandwidths describe all of the memory or none: the kernel ranks nodes by them.
 * @param {MachineNode[]} nodes
 */
function checkPerformance(nodes) {
  if (!hasPerformance(nodes)) return;
  const initiators = nodes.filter(({ cpus }) => cpus.length > 0).map(({ id }) => id);
  nodes.forEach((node, index) => {
    const member = `nodes[${index}]`;
    if (node.memoryMiB === 0) {
      const given = performanceMembers.filter((name) => Object.hasOwn(node, name));
      demand(given.length === 0, `${member}.${given[0]}`, 'describes memory, and there is none');
      return;
    }
    for (const name of /** @type {const} */ (['readLatencyNs', 'readBandwidthMBps'])) {
      const rule = `must be an integer from 1 to ${performanceMax}, on each node with memory`;
      demand(
        isInteger(node[name], 1, performanceMax),
        `${member}.${name}`,
        `${rule} or none`,
        node[name] ?? null,
      );
    }
    const initiator = initiatorOf(node) ?? -1;
    const rule = `must be a node with CPUs (${initiators.join(', ')}); its own if it has some`;
    const isOwn = node.cpus.length === 0 || initiator === node.id;
    demand(initiators.includes(initiator) && isOwn, `${member}.initiator`, rule, initiator);
  });
}

/**
 * @param {MachineNode[]} nodes
 * @returns {boolean} whether the machine tells how fast its memory is
 */
export function hasPerformance(nodes) {
  return nodes.some((node) => performanceMembers.some((name) => Object.hasOwn(node, name)));
}

/**
 * @param {MachineNode} node
 * @returns {number | undefined} the node whose CPUs reach this memory best
 */
export function initiatorOf({ id, cpus, initiator }) {
  return initiator ?? (cpus.length > 0 ? id : undefined);
}

/**
 * @param {unknown} distances
 * @param {number} count
 */
function checkDistances(distances, count) {
  const shape = `must be ${count} rows of ${count} numbers, in the order of nodes`;
  demand(Array.isArray(distances) && distances.length === count, 'distances', shape);
  /** @type {unknown[]} */ (distances).forEach((row, from) => {
    demand(Array.isArray(row) && row.length === count, `distances[${from}]`, shape);
    /** @type {unknown[]} */ (row).forEach((distance, to) => {
      const member = `distances[${from}][${to}]`;
      if (from === to) {
        const rule = `must be ${localDistance}: a node to itself`;
        demand(distance === localDistance, member, rule, distance);
      } else {
        demandInteger(distance, localDistance + 1, distanceMax, member);
      }
    });
  });
}

/**
 * @param {string} prefix
 * @param {Record<string, unknown>} value
 * @param {string[]} known
 */
function rejectUnknown(prefix, value, known) {
  for (const member of Object.keys(value)) {
    demand(known.includes(member), `${prefix}${member}`, `is unknown; known: ${known.join(', ')}`);
  }
}

/**
 * @param {string} member
 * @param {unknown} value
 * @returns {Record<string, unknown>}
 */
function record(member, value) {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  demand(isRecord, member, 'must be an object', value);
  return /** @type {Record<string, unknown>} */ (value);
}

/**
 * @param {boolean} holds
 * @param {string} member
 * @param {string} rule
 * @param {unknown} [value]
 */
function demand(holds, member, rule, value) {
  if (!holds) throw new MachineError(member, rule, value);
}

/**
 * @param {unknown} value
 * @param {number} min
 * @param {number} max
 * @param {string} member
 */
function demandInteger(value, min, max, member) {
  demand(
    isInteger(value, min, max),
    member,
    `must be an integer from ${min} to ${max}`,
    value ?? null,
  );
}

/**
 * @param {unknown} value
 * @param {number} min
 * @param {number} max
 */
function isInteger(value, min, max) {
  return Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
