// @ts-check
// The guest's kernel and its busybox: Debian's own packages, unpacked into the cache, never
// installed. With a filled cache nothing here touches the network.

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { archiveObstacle } from './debian-archive.mjs';
import { imageIn, modulesIn, newestImagePackage } from './debian-kernels.mjs';
import { cacheFolder, exitCodes, findProgram, GuestError } from './host.mjs';
import { fetchNumactl, hasNumactl } from './numactl.mjs';
import { fetchFrom, place } from './package-files.mjs';

/**
 * A kernel that boots the guest.
 * @typedef {object} GuestKernel
 * @property {string} line key of `kernelLines`, or the path that was given
 * @property {string} image path of the bootable image
 * @property {string} name package version, or the file's name
 * @property {string[]} modules paths of those that the guest loads, in this order
 */

/**
 * @typedef {{ line: string, kernel: GuestKernel } | { line: string, obstacle: GuestError }
 *   } PreparedKernel
 */

/**
 * The lines of lib/core/kernels.ts, the oldest first, with the Debian suite that carries each. A
 * test holds the two together: this file runs before anything is installed, and imports no
 * TypeScript.
 * @type {ReadonlyMap<string, string>}
 */
export const kernelLines = new Map([
  ['6.1', 'bookworm'],
  ['6.12', 'trixie'],
  ['6.18', 'trixie-backports'],
  ['7.2', 'trixie-backports'],
]);

export const [defaultKernel = ''] = kernelLines.keys();

const userlandSuite = 'bookworm';

const modulesName = 'modules';
const kernelsFolder = join(cacheFolder, 'guest', 'kernels');
export const busyboxPath = join(cacheFolder, 'guest', 'busybox');

/**
 * @param {string} line
 * @returns {GuestKernel | undefined} what the cache holds for a kernel line
 */
export function cachedKernel(line) {
  const image = join(kernelsFolder, line, 'vmlinuz');
  const record = join(kernelsFolder, line, 'package');
  if (!existsSync(image) || !existsSync(record)) return undefined;
  const folder = join(kernelsFolder, line, modulesName);
  const modules = existsSync(folder) ? readdirSync(folder).sort() : [];
  const name = readFileSync(record, 'utf8').trim();
  return { line, image, name, modules: modules.map((module) => join(folder, module)) };
}

/**
 * @param {string} choice a key of `kernelLines` or the path of an image
 * @returns {Promise<GuestKernel>}
 */
export async function resolveKernel(choice) {
  const suite = kernelLines.get(choice);
  if (suite) return cachedKernel(choice) ?? fetchKernel(choice, suite);
  const image = resolve(choice);
  if (existsSync(image) && statSync(image).isFile()) {
    return { line: choice, image, name: image, modules: [] };
  }
  const known = [...kernelLines.keys()].join(', ');
  throw new GuestError(`no kernel '${choice}': not a file, and the known lines are ${known}`, {
    exitCode: exitCodes.unavailable,
    remedy: 'give the path of a bootable x86-64 image, or one of the lines',
  });
}

/** @returns {Promise<string>} path of a statically linked busybox */
export async function resolveBusybox() {
  if (existsSync(busyboxPath)) return busyboxPath;
  const own = findProgram('busybox');
  if (archiveObstacle() && own) return own;
  await fetchFrom(userlandSuite, async (archive) => {
    await archive.unpack('busybox-static', (root) => {
      const path = existsSync(join(root, 'bin')) ? 'bin/busybox' : 'usr/bin/busybox';
      place(join(root, path), busyboxPath);
    });
  });
  return busyboxPath;
}

/**
 * Fills the cache with what a guest needs, if something is missing.
 * @param {(fetch: () => Promise<void>) => Promise<void>} around called when there is work to do
 */
export async function prepareGuestFiles(around) {
  const hasBusybox = existsSync(busyboxPath) || archiveObstacle() !== undefined;
  if (cachedKernel(defaultKernel) && hasBusybox && hasNumactl()) return;
  await around(async () => {
    await resolveKernel(defaultKernel);
    await resolveBusybox();
    await fetchNumactl();
  });
}

/**
 * Fills the cache with several lines. One that cannot be had does not keep the others out.
 * @param {Iterable<string>} lines keys of `kernelLines`
 * @returns {Promise<PreparedKernel[]>} in the order of `lines`
 */
export async function prepareKernels(lines) {
  /** @type {PreparedKernel[]} */
  const prepared = [];
  for (const line of lines) {
    try {
      prepared.push({ line, kernel: await resolveKernel(line) });
    } catch (error) {
      if (!(error instanceof GuestError)) throw error;
      prepared.push({ line, obstacle: error });
    }
  }
  return prepared;
}

/**
 * @param {string} line
 * @param {string} suite
 * @returns {Promise<GuestKernel>}
 */
async function fetchKernel(line, suite) {
  await fetchFrom(suite, async (archive) => {
    const name = await newestImagePackage(archive, line);
    await archive.unpack(name, (root) => {
      modulesIn(root).forEach((module, at) => {
        place(module, join(kernelsFolder, line, modulesName, `${at}-${basename(module)}`));
      });
      place(imageIn(root, name), join(kernelsFolder, line, 'vmlinuz'));
    });
    writeFileSync(join(kernelsFolder, line, 'package'), `${name}\n`);
  });
  const kernel = cachedKernel(line);
  if (!kernel) throw new Error(`the kernel ${line} did not reach the cache`);
  return kernel;
}
