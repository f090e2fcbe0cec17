// @ts-check
// Which package of a Debian suite holds the newest kernel of a line, and where in it the image is.
// The archive drops lines and renames packages: names are looked up, none is written down.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isNewerVersion } from './debian-archive.mjs';
import { exitCodes, GuestError } from './host.mjs';

// Since 6.19 the image is in linux-binary, and linux-image only depends on it. Both are signed;
// names that end in -unsigned or -dbg are something else.
const packagePrefixes = ['linux-binary-', 'linux-image-'];
const packagePattern = /^linux-(?:binary|image)-((\d+\.\d+)\.\d\S*-cloud-amd64)$/;

/**
 * @param {import('./debian-archive.mjs').DebianArchive} archive
 * @param {string} line such as 6.12
 * @returns {Promise<string>} name of the package that holds the image
 * @throws {GuestError} if the suite has no kernel of this line
 */
export async function newestImagePackage(archive, line) {
  const lists = await Promise.all(packagePrefixes.map(archive.packageNames));
  const packages = lists.flat().flatMap((name) => {
    const [, release, itsLine] = packagePattern.exec(name) ?? [];
    return release && itsLine ? [{ name, release, line: itsLine }] : [];
  });
  const candidates = packages.filter((entry) => entry.line === line);
  let newest = { name: '', release: '', version: '' };
  for (const { name, release } of candidates) {
    // A release that has been seen in linux-binary: its linux-image holds no image.
    if (release === newest.release) continue;
    const version = await archive.version(name);
    const isNewer = newest.name === '' || (await isNewerVersion(version, newest.version));
    if (isNewer) newest = { name, release, version };
  }
  if (newest.name === '') {
    const lines = [...new Set(packages.map((entry) => entry.line))];
    const others = lines.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).join(', ');
    const message = `${archive.suite} has no kernel ${line} any more`;
    throw new GuestError(`${message}; it has ${others || 'none at all'}`, {
      exitCode: exitCodes.unavailable,
      remedy: 'choose another line, or give an image of this one with --kernel PATH',
    });
  }
  return newest.name;
}

/** What a port over virtio takes, in the order in which one needs the other. */
const virtioModules = [
  ...['virtio/virtio_ring', 'virtio/virtio', 'virtio/virtio_pci_legacy_dev'],
  ...['virtio/virtio_pci_modern_dev', 'virtio/virtio_pci', 'char/virtio_console'],
];

/**
 * @param {string} root folder of the unpacked package
 * @returns {string[]} paths of modules, in the order of loading; none where all is built in
 */
export function modulesIn(root) {
  const modules = ['lib', 'usr/lib'].map((folder) => join(root, folder, 'modules'));
  const releases = modules.flatMap((folder) => {
    return existsSync(folder) ? readdirSync(folder).map((entry) => join(folder, entry)) : [];
  });
  return releases.flatMap((release) => {
    const paths = virtioModules.map((name) => join(release, 'kernel', 'drivers', `${name}.ko`));
    return paths.filter((path) => existsSync(path));
  });
}

/**
 * @param {string} root folder of the unpacked package
 * @param {string} name of the package
 * @returns {string} path of the bootable image
 */
export function imageIn(root, name) {
  const modules = join(root, 'usr', 'lib', 'modules');
  const releases = existsSync(modules) ? readdirSync(modules) : [];
  for (const folder of [join(root, 'boot'), ...releases.map((entry) => join(modules, entry))]) {
    const files = existsSync(folder) ? readdirSync(folder) : [];
    const file = files.find((entry) => entry.startsWith('vmlinuz'));
    if (file) return join(folder, file);
  }
  throw new Error(`${name} holds no kernel image`);
}
