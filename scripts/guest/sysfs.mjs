// @ts-check
// The machine that the guest's kernel reports against the machine that was asked for. A difference
// makes every later answer worthless, so it is looked for before the command runs.

import { initiatorOf } from './machine.mjs';

const kernelShareMiB = 128;
const usableShareMin = 0.85;

/**
 * @param {import('./machine.mjs').Machine} machine
 * @param {ReadonlyMap<string, string>} facts what the guest read, by its path below node/
 * @returns {string[]} one line for each difference
 */
export function machineDifferences(machine, facts) {
  /** @type {string[]} */
  const differences = [];
  /** @type {(fact: string, expected: string) => void} */
  const compare = (fact, expected) => {
    const found = facts.get(fact) ?? '(absent)';
    if (found !== expected) differences.push(`${fact}: expected '${expected}', found '${found}'`);
  };
  const { nodes, distances } = machine;
  compare('online', listOf(nodes.map(({ id }) => id)));
  compare('has_cpu', listOf(nodes.filter(({ cpus }) => cpus.length > 0).map(({ id }) => id)));
  compare('has_memory', listOf(nodes.filter((node) => node.memoryMiB > 0).map(({ id }) => id)));
  nodes.forEach((node, row) => {
    compare(`node${node.id}/cpulist`, listOf(node.cpus));
    compare(`node${node.id}/distance`, distances[row]?.join(' ') ?? '');
    if (node.readLatencyNs !== undefined) {
      compare(`node${node.id}/initiators`, String(initiatorOf(node)));
      compare(`node${node.id}/read_latency`, String(node.readLatencyNs));
      compare(`node${node.id}/read_bandwidth`, String(node.readBandwidthMBps));
    }
    const difference = memoryDifference(node, facts.get(`node${node.id}/memory`));
    if (difference) differences.push(difference);
  });
  return differences;
}

/**
 * The kernel keeps some of each node for itself, most on the one that it was loaded into.
 * @param {import('./machine.mjs').MachineNode} node
 * @param {string | undefined} found in KiB
 */
function memoryDifference({ id, memoryMiB }, found) {
  const memory = Number(found) / 1024;
  const loaded = id === 0 ? kernelShareMiB : 0;
  const min = memoryMiB * usableShareMin - loaded;
  if (memory >= min && memory <= memoryMiB) return undefined;
  const range = `${Math.max(0, Math.round(min))} to ${memoryMiB} MiB`;
  const foundText = found === undefined ? '(absent)' : `${Math.round(memory)} MiB`;
  return `node${id}/memory: expected ${range}, found ${foundText}`;
}

/**
 * @param {readonly number[]} numbers
 * @returns {string} in the kernel's notation: '0-2,5'
 */
function listOf(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  /** @type {string[]} */
  const runs = [];
  for (let begin = 0; begin < sorted.length; ) {
    let end = begin;
    while (sorted[end + 1] === Number(sorted[end]) + 1) end++;
    runs.push(begin === end ? `${sorted[begin]}` : `${sorted[begin]}-${sorted[end]}`);
    begin = end + 1;
  }
  return runs.join(',');
}
