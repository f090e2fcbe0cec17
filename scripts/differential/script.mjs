// @ts-check
// Programs as one file that travels into guests: what `puppet batch` reads, compressed.

import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { machineFile } from '../guest/machine.mjs';
import { bundlePath } from './bundle.mjs';
import { hashOf } from './kept-answers.mjs';

// One CPU: outcomes repeat, and emulation is many times faster than with several. A second one
// shows what groups do to the CPUs of a thread.
const singleMachine = machineFile('four-nodes-single-cpu');
const groupsMachine = machineFile('four-nodes-two-cpus');

// As many pages in each pool as programs with objects have; nobody joins pages behind their back.
const poolPages = 4;
const transparent = '/sys/kernel/mm/transparent_hugepage';
const pools = '/sys/devices/system/node/node*/hugepages/hugepages-2048kB/nr_hugepages';
const hugePagesSetup = [
  `echo 4000000000 > ${transparent}/khugepaged/scan_sleep_millisecs`,
  // One, and then it sleeps: the first has nothing to join.
  `echo 1 > ${transparent}/khugepaged/pages_to_scan`,
  `echo 0 > ${transparent}/khugepaged/max_ptes_none`,
  `echo madvise > ${transparent}/enabled`,
  `for pool in ${pools}; do echo ${poolPages} > $pool; done`,
].join(' && ');

let fileCount = 0;

/** @typedef {import('./bundle.mjs').Harness} Harness */
/** @typedef {import('../../test/differential/program.ts').Program} Program */

/**
 * @typedef {object} Script
 * @property {string} path below the project's folder of build results, which guests get
 * @property {string} machine that it is for
 * @property {string} setup what the guest does before, a line of its shell
 * @property {string} digest hash of its text
 * @property {number} programCount
 * @property {number} callCount calls of all programs, questions about their effects included
 * @property {(index: number) => Program} programAt
 */

/**
 * The text of many programs, as `puppet batch` reads it.
 * @param {readonly (readonly string[])[]} scripts lines of each program
 */
export function batchText(scripts) {
  return `${scripts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/**
 * Has a script made, and removes its file after the body.
 * @template T
 * @param {Harness} harness
 * @param {number} programCount
 * @param {(index: number) => Program} programAt
 * @param {(script: Script) => Promise<T>} body
 * @param {boolean} [isChosen] one by one: a few with groups are enough for their machine
 * @returns {Promise<T>}
 */
export async function withScript(harness, programCount, programAt, body, isChosen = false) {
  let callCount = 0;
  let groupCount = 0;
  let hasObjects = false;
  /** @type {string[][]} */
  const scripts = [];
  for (let index = 0; index < programCount; index += 1) {
    const program = programAt(index);
    groupCount += Number(program.groups !== undefined);
    hasObjects ||= program.objects !== undefined;
    const lines = await harness.scriptOf(program);
    callCount += lines.length;
    scripts.push(lines);
  }
  const path = join(dirname(bundlePath), `programs-${process.pid}-${fileCount++}.gz`);
  const text = batchText(scripts);
  const digest = hashOf(text);
  writeFileSync(path, gzipSync(text, { level: 1 }));
  try {
    const isOfGroups = groupCount === programCount || (isChosen && groupCount > 0);
    const machine = isOfGroups ? groupsMachine : singleMachine;
    const setup = hasObjects ? hugePagesSetup : 'true';
    return await body({ path, machine, setup, digest, programCount, callCount, programAt });
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * @template T
 * @param {Harness} harness
 * @param {readonly Program[]} programs
 * @param {(script: Script) => Promise<T>} body
 */
export function withScriptOf(harness, programs, body) {
  const programAt = (/** @type {number} */ index) => /** @type {Program} */ (programs[index]);
  return withScript(harness, programs.length, programAt, body, true);
}
