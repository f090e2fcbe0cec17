// @ts-check
// The machines of machines/, and a machine of a file's own, for guests.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from './host.mjs';

/** @typedef {import('../../lib/core/machine-description.ts').MachineDescription} Machine */
/** @typedef {import('../../lib/core/machine-description.ts').MachineNode} MachineNode */

const folder = join(projectFolder, 'machines');
/** Of tests alone. */
const testFolder = join(projectFolder, 'test', 'machines');
/** Guests have to fit beside one another into the memory of small hosts. */
const guestMiB = 4096;
const shownMax = 60;

/** A machine that cannot be a guest's. The message names the member, the rule and the value. */
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
  }
}

/**
 * @param {string} name
 * @returns {string} path of the description
 */
export function machineFile(name) {
  const own = join(testFolder, `${name}.json`);
  return existsSync(own) ? own : join(folder, `${name}.json`);
}

/** @returns {string[]} names of the machines that are small enough for guests */
export function guestMachineNames() {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .filter((name) => {
      const { nodes } = JSON.parse(readFileSync(machineFile(name), 'utf8'));
      return memoryOf(nodes) < guestMiB;
    });
}

/**
 * Needs the built package, whose checker it is.
 * @param {string} path
 * @returns {Promise<Machine>}
 * @throws {MachineError} naming what is wrong with the file
 */
export async function readMachine(path) {
  const { checkMachineDescription } = await import('../../dist/core/machine-description.js');
  try {
    return checkMachineDescription(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new MachineError(path, error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {readonly MachineNode[]} nodes
 * @returns {number} MiB of all together
 */
export function memoryOf(nodes) {
  return nodes.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0);
}

/**
 * @param {readonly MachineNode[]} nodes
 * @returns {boolean} whether the machine tells how fast its memory is: of all nodes, or of none
 */
export function hasPerformance(nodes) {
  return nodes.some(({ readLatencyNs }) => readLatencyNs !== undefined);
}

/**
 * @param {MachineNode} node
 * @returns {number | undefined} the node whose CPUs reach this memory best
 */
export function initiatorOf({ id, cpus, initiator }) {
  return initiator ?? (cpus.length > 0 ? id : undefined);
}
