// @ts-check
// The operating system's share: compiler, libnuma and QEMU. Installed where that is ours to do
// (root, with apt); elsewhere the one line to run is printed and the set-up goes on without.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../guest/host.mjs';
import { runLogged, say, step } from './steps.mjs';

/**
 * @typedef {object} Requirement
 * @property {string} package name of the Debian and Ubuntu package
 * @property {() => boolean} isPresent
 * @property {string} purpose
 * @property {boolean} [guestOnly]
 */

/** @type {Requirement[]} */
const requirements = [
  { package: 'g++', purpose: 'native build', isPresent: () => hasProgram('g++') },
  { package: 'make', purpose: 'native build', isPresent: () => hasProgram('make') },
  { package: 'python3', purpose: 'native build', isPresent: () => hasProgram('python3') },
  {
    package: 'libnuma-dev',
    purpose: 'native build',
    isPresent: () => existsSync('/usr/include/numa.h') && hasLibrary('libnuma.so'),
  },
  { package: 'libnuma1', purpose: 'native backend', isPresent: () => hasLibrary('libnuma.so.1') },
  {
    package: 'qemu-system-x86',
    purpose: 'kernel guest',
    isPresent: () => hasProgram('qemu-system-x86_64'),
    guestOnly: true,
  },
  {
    // The firmware that starts the guest's kernel: some derived systems only recommend it.
    package: 'seabios',
    purpose: 'kernel guest',
    isPresent: () => firmwareFolders.some((folder) => existsSync(join(folder, 'bios-256k.bin'))),
    guestOnly: true,
  },
];

const firmwareFolders = ['/usr/share/seabios', '/usr/share/qemu', '/usr/local/share/qemu'];
const libraryFolders = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', '/usr/local/lib'];

/**
 * Sees to the packages of the operating system.
 * @param {{ guest: boolean }} options
 * @returns {Promise<string[]>} packages that are still missing
 */
export async function installSystemPackages({ guest }) {
  if (process.platform !== 'linux') return [];
  const guestRuns = guest && process.arch === 'x64';
  const wanted = requirements.filter((entry) => guestRuns || !entry.guestOnly);
  const missing = () => wanted.filter((entry) => !entry.isPresent()).map((entry) => entry.package);
  const packages = missing();
  if (packages.length === 0) return [];

  const hasApt = hasProgram('apt-get') && existsSync('/etc/debian_version');
  if (!hasApt || process.getuid?.() !== 0) {
    say(`missing: ${describe(wanted, packages)}`);
    say(`run: ${installLine(hasApt, packages)}`);
    return packages;
  }
  await step(`system packages (${packages.join(' ')})`, () => aptInstall(packages));
  return missing();
}

/** @param {string[]} packages */
async function aptInstall(packages) {
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
  const wait = ['-o', 'DPkg::Lock::Timeout=300'];
  await runLogged('apt-get', ['update', ...wait], quiet);
  const options = ['-y', '--no-install-recommends', ...wait];
  await runLogged('apt-get', ['install', ...options, ...packages], quiet);
}

/**
 * @param {boolean} hasApt
 * @param {string[]} packages
 */
function installLine(hasApt, packages) {
  const list = packages.join(' ');
  if (hasApt) return `sudo apt-get install -y --no-install-recommends ${list}`;
  return `your package manager, for what Debian calls ${list}`;
}

/**
 * @param {Requirement[]} wanted
 * @param {string[]} packages
 */
function describe(wanted, packages) {
  const lacking = wanted.filter((entry) => packages.includes(entry.package));
  return lacking.map((entry) => `${entry.package} (${entry.purpose})`).join(', ');
}

/** @param {string} name */
function hasProgram(name) {
  return findProgram(name) !== undefined;
}

/**
 * Looks one level down as well: Debian keeps libraries in folders such as lib/x86_64-linux-gnu.
 * @param {string} file
 */
function hasLibrary(file) {
  return libraryFolders.some((folder) => {
    if (!existsSync(folder)) return false;
    if (existsSync(join(folder, file))) return true;
    const inner = readdirSync(folder).filter((name) => name.includes('-linux-'));
    return inner.some((name) => existsSync(join(folder, name, file)));
  });
}
