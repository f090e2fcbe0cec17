// @ts-check
// Runs programs in a guest and brings the outcomes out.

import { rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { runGuest } from '../guest/guest.mjs';
import { projectFolder } from '../guest/host.mjs';
import { bundlePath } from './bundle.mjs';

// One CPU: outcomes repeat, and emulation is many times faster than with several.
const machine = join(projectFolder, 'scripts/machines/four-nodes-single-cpu.json');
const timeoutSeconds = 3600;
let fileCount = 0;

/** @typedef {import('../../test/differential/program.ts').Program} Program */
/** @typedef {import('../../test/differential/outcome.ts').Outcome} Outcome */

/**
 * @typedef {object} GuestPrograms
 * @property {string} kernel a line or an image
 * @property {number} [seed]
 * @property {number} [count]
 * @property {string} [without] features that the generator leaves out
 * @property {readonly Program[]} [programs] instead of generated ones
 * @property {boolean} [isFull] outcomes, not their hashes
 * @property {boolean} [mergesAbsence]
 */

/**
 * @param {GuestPrograms} options
 * @returns {Promise<{ release: string, lines: string[], ms: number }>} a line for each program
 */
export async function runInGuest(options) {
  const { kernel, seed = 1, count = 0, without = '', programs, isFull, mergesAbsence } = options;
  // The interpreter alone: under emulation, compiling costs more than it saves.
  const command = ['node', '--jitless', '--disable-warning=all'];
  command.push('scripts/differential/in-guest.mjs');
  if (isFull) command.push('--full');
  if (mergesAbsence) command.push('--merge-absence');
  const file = join(dirname(bundlePath), `programs-${process.pid}-${fileCount++}.jsonl`);
  if (programs) {
    writeFileSync(file, programs.map((program) => JSON.stringify(program)).join('\n'));
    command.push('--file', `build/Release/${basename(file)}`);
  } else {
    command.push('--seed', String(seed), '--programs', String(count), '--without', without);
  }
  let text = '';
  let errors = '';
  try {
    const { exitCode } = await runGuest({
      kernel,
      machine,
      command,
      timeoutSeconds,
      onStdout: (chunk) => {
        text += chunk.toString('latin1');
      },
      onStderr: (chunk) => {
        errors += chunk.toString();
      },
    });
    if (exitCode !== 0) throw new Error(`the guest's programs failed: ${errors.slice(-2000)}`);
  } finally {
    rmSync(file, { force: true });
  }
  return readLines(text, programs?.length ?? count);
}

/**
 * A guest whose kernel died has been started again: the last beginning counts.
 * @param {string} text
 * @param {number} count
 */
function readLines(text, count) {
  const all = text.trimEnd().split('\n');
  const start = all.findLastIndex((line) => line.startsWith('kernel '));
  const release = (all[start] ?? '').slice('kernel '.length);
  const done = /^done (\d+)$/.exec(all.at(-1) ?? '');
  const lines = all.slice(start + 1, -1);
  if (start < 0 || !done || lines.length !== count) {
    throw new Error(`expected ${count} outcomes, got ${lines.length}: ${all.at(-1)}`);
  }
  return { release, lines, ms: Number(done[1]) };
}

/**
 * The outcomes of the same programs on two kernels, both guests at once.
 * @param {readonly [string, string]} kernels
 * @param {Omit<GuestPrograms, 'kernel'>} options
 */
export async function runInBoth([a, b], options) {
  const [left, right] = await Promise.all([
    runInGuest({ ...options, kernel: a }),
    runInGuest({ ...options, kernel: b }),
  ]);
  return { left, right };
}
