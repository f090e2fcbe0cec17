// @ts-check
// KVM or emulation. A KVM device that opens proves little: guests were seen to abort or to hang on
// one. Only a guest whose user space has answered counts; the verdict holds until the next boot.

import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, exitCodes, GuestError } from './host.mjs';

const device = '/dev/kvm';
const verdictFile = join(cacheFolder, 'guest', 'accelerator.json');

/** How long a guest under KVM may take to answer. */
export const kvmReadySeconds = 10;

/**
 * @typedef {object} AcceleratorChoice
 * @property {import('./qemu-arguments.mjs').Accelerator} accelerator
 * @property {string} reason
 * @property {boolean} isProbe true if failing to answer means: fall back to emulation
 */

/**
 * @param {{ icount?: boolean | undefined }} options
 * @returns {AcceleratorChoice}
 */
export function chooseAccelerator({ icount = false }) {
  if (icount) return { accelerator: 'icount', reason: 'asked for', isProbe: false };
  const forced = process.env['NODE_NUMA_ACCEL'] ?? '';
  if (forced === 'kvm' || forced === 'tcg') {
    return { accelerator: forced, reason: 'NODE_NUMA_ACCEL', isProbe: false };
  }
  if (forced !== '') {
    const message = `NODE_NUMA_ACCEL must be kvm or tcg, not '${forced}'`;
    throw new GuestError(message, { exitCode: exitCodes.usage });
  }
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
  } catch {
    return { accelerator: 'tcg', reason: `${device} is not open to us`, isProbe: false };
  }
  const verdict = readVerdict();
  if (verdict?.works === true) return { accelerator: 'kvm', reason: 'works here', isProbe: false };
  if (verdict) return { accelerator: 'tcg', reason: 'KVM fails here', isProbe: false };
  return { accelerator: 'kvm', reason: 'first try', isProbe: true };
}

/**
 * Keeps what a probe has shown.
 * @param {boolean} works
 * @param {string} reason
 */
export function recordVerdict(works, reason) {
  mkdirSync(dirname(verdictFile), { recursive: true });
  writeFileSync(verdictFile, `${JSON.stringify({ bootId: bootId(), works, reason })}\n`);
}

/** @returns {{ works: boolean, reason: string } | undefined} the verdict of this boot */
function readVerdict() {
  try {
    const verdict = JSON.parse(readFileSync(verdictFile, 'utf8'));
    return verdict.bootId === bootId() ? verdict : undefined;
  } catch {
    return undefined;
  }
}

function bootId() {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
