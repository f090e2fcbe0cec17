// @ts-check
// Whether a guest can run here at all, decided without starting anything or touching the network.

import { existsSync } from 'node:fs';
import { archiveObstacle } from './debian-archive.mjs';
import { findProgram } from './host.mjs';
import { busyboxPath, cachedKernel, defaultKernel, kernelLines } from './kernel.mjs';

/**
 * @typedef {object} GuestAvailability
 * @property {boolean} available
 * @property {string} reason why not; empty when available
 * @property {string} remedy what to do about it; empty when available
 */

/**
 * @param {{ kernel?: string }} [options]
 * @returns {GuestAvailability}
 */
export function guestAvailability({ kernel = defaultKernel } = {}) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    const here = `${process.platform}/${process.arch}`;
    return not(`the guest needs Linux on x86-64, this is ${here}`, 'run it on such a host');
  }
  if (!findProgram('qemu-system-x86_64')) {
    const install = 'apt-get install -y --no-install-recommends qemu-system-x86 seabios';
    return not('qemu-system-x86_64 is not on the PATH', `run as root: ${install}`);
  }
  const isLine = kernelLines.has(kernel);
  if (!isLine && !existsSync(kernel)) {
    const known = [...kernelLines.keys()].join(', ');
    const remedy = `give a kernel line (${known}) or the path of a bootable x86-64 image`;
    return not(`there is no kernel '${kernel}'`, remedy);
  }
  const fetchable = archiveObstacle();
  if (fetchable && isLine && !cachedKernel(kernel)) {
    const remedy = 'give a kernel image with --kernel PATH, or use a Debian machine or container';
    return not(`kernel ${kernel} is not in the cache and cannot be fetched: ${fetchable}`, remedy);
  }
  if (fetchable && !existsSync(busyboxPath) && !findProgram('busybox')) {
    return not(`busybox cannot be fetched: ${fetchable}`, 'install a static busybox');
  }
  return { available: true, reason: '', remedy: '' };
}

/**
 * @param {string} reason
 * @param {string} remedy
 * @returns {GuestAvailability}
 */
function not(reason, remedy) {
  return { available: false, reason, remedy };
}
