// @ts-check
// Files out of Debian packages without installing anything: apt works on a private list of sources
// and a private state folder, the machine's keyring checks the signatures, dpkg-deb unpacks.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, exitCodes, findProgram, GuestError, runProgram } from './host.mjs';

const aptFolder = join(cacheFolder, 'apt');
const keyringName = 'usr/share/keyrings/debian-archive-keyring.gpg';
const ownKeyring = `/${keyringName}`;
const newerKeyring = join(aptFolder, 'debian-archive-keyring.gpg');
// An image of this Debian may be older than the keys of the next one.
const keyringSuite = 'bookworm';

/**
 * One visit to the package archive: the lists of one suite, then packages out of it.
 * @typedef {object} DebianArchive
 * @property {string} suite
 * @property {(prefix: string) => Promise<string[]>} packageNames names that begin so
 * @property {(name: string) => Promise<string>} version of the newest package of that name
 * @property {(name: string, use: (root: string) => void) => Promise<void>} unpack
 */

/** @returns {string | undefined} why the archive cannot be used here */
export function archiveObstacle() {
  const missing = ['apt-get', 'apt-cache', 'dpkg', 'dpkg-deb'].filter((name) => !findProgram(name));
  if (missing.length > 0) return `${missing.join(', ')} not found`;
  return undefined;
}

/** @type {Map<string, Promise<DebianArchive>>} */
const open = new Map();

/**
 * Downloads the package lists of a suite, once. Costs network: call it only when the cache has no
 * answer.
 * @param {string} suite such as 'bookworm'
 * @returns {Promise<DebianArchive>}
 */
export function openArchive(suite) {
  const archive = open.get(suite) ?? openAnew(suite);
  open.set(suite, archive);
  // What failed may succeed later.
  archive.catch(() => open.delete(suite));
  return archive;
}

/**
 * @param {string} suite
 * @returns {Promise<DebianArchive>}
 */
async function openAnew(suite) {
  const obstacle = archiveObstacle();
  if (obstacle) throw new GuestError(`no package archive: ${obstacle}`, unavailable);
  const keyring = existsSync(newerKeyring) ? newerKeyring : ownKeyring;
  try {
    return await openVerified(suite, keyring);
  } catch (error) {
    const isUnknownKey = error instanceof Error && error.message.includes('NO_PUBKEY');
    if (!isUnknownKey || suite === keyringSuite || keyring === newerKeyring) throw error;
    return openVerified(suite, await fetchNewerKeyring(suite, error));
  }
}

/**
 * @param {string} suite
 * @param {string} keyring the only keys whose signatures count
 * @returns {Promise<DebianArchive>}
 */
async function openVerified(suite, keyring) {
  const folder = join(aptFolder, suite);
  for (const part of ['lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  writeFileSync(join(folder, 'status'), '');
  writeFileSync(join(folder, 'sources.list'), await sources(suite, keyring));
  const options = privateOptions(folder);
  // Two runs may need the same suite at once, and apt gives up on lists that another apt holds.
  const alone = findProgram('flock') ? ['flock', join(folder, 'queue')] : [];
  const [program = '', ...parameters] = [...alone, 'apt-get', ...options, 'update'];
  await runProgram(program, parameters);
  return {
    suite,
    packageNames: async (prefix) => {
      const names = await runProgram('apt-cache', [...options, 'pkgnames', prefix]);
      return names.split('\n').filter((name) => name !== '');
    },
    version: async (name) => {
      const text = await runProgram('apt-cache', [...options, 'show', '--no-all-versions', name]);
      return /^Version: (.*)$/m.exec(text)?.[1] ?? '';
    },
    unpack: (name, use) => unpack(name, options, use),
  };
}

/**
 * Keys that this machine does not have yet come out of a package that its own keys verify.
 * @param {string} suite the one with unknown keys
 * @param {Error} cause what apt said of them
 * @returns {Promise<string>} path of the newer keyring
 */
async function fetchNewerKeyring(suite, cause) {
  try {
    const archive = await openVerified(keyringSuite, ownKeyring);
    await archive.unpack('debian-archive-keyring', (root) => {
      const fetched = join(root, keyringName);
      if (!existsSync(fetched)) throw new Error('debian-archive-keyring holds no keyring');
      copyFileSync(fetched, newerKeyring);
    });
  } catch (error) {
    const keys = [...new Set(cause.message.match(/NO_PUBKEY \w+/g))].join(', ');
    const reason = error instanceof Error ? error.message : String(error);
    const attempt = `nor could newer keys be had from ${keyringSuite}: ${reason}`;
    const message = `the signature of ${suite} cannot be verified (${keys}), ${attempt}`;
    throw new GuestError(message, {
      exitCode: exitCodes.unavailable,
      remedy: 'install a newer debian-archive-keyring, or give a kernel image with --kernel PATH',
      cause,
    });
  }
  return newerKeyring;
}

/**
 * @param {string} version
 * @param {string} other
 * @returns {Promise<boolean>} whether `version` is newer, in Debian's order
 */
export async function isNewerVersion(version, other) {
  try {
    await runProgram('dpkg', ['--compare-versions', version, 'gt', other]);
    return true;
  } catch {
    return false;
  }
}

const unavailable = {
  exitCode: exitCodes.unavailable,
  remedy: 'give a kernel image with --kernel PATH, or use a Debian machine or container',
};

/**
 * @param {string} name
 * @param {string[]} options
 * @param {(root: string) => void} use
 */
async function unpack(name, options, use) {
  const folder = mkdtempSync(join(aptFolder, 'package-'));
  try {
    await runProgram('apt-get', [...options, 'download', name], { cwd: folder });
    const file = readdirSync(folder).find((entry) => entry.endsWith('.deb'));
    if (!file) throw new GuestError(`apt-get downloaded no package for ${name}`, unavailable);
    const root = join(folder, 'root');
    await runProgram('dpkg-deb', ['-x', join(folder, file), root]);
    use(root);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The lines of the private sources list, on the mirrors that this machine already uses.
 * @param {string} suite
 * @param {string} keyring
 */
async function sources(suite, keyring) {
  // Without release info apt names its sources even where no list was ever downloaded (images).
  const parameters = ['indextargets', '--no-release-info', '--format', '$(REPO_URI)'];
  const targets = await runProgram('apt-get', parameters);
  const uris = [...new Set(targets.split('\n'))].map((line) => line.trim());
  const mirror =
    process.env['NODE_NUMA_DEBIAN_MIRROR'] ?? uris.find((uri) => /\/debian\/?$/.test(uri));
  if (!mirror) {
    throw new GuestError('apt on this machine knows no Debian mirror', {
      exitCode: exitCodes.unavailable,
      remedy: 'set NODE_NUMA_DEBIAN_MIRROR to one, or give a kernel image with --kernel PATH',
    });
  }
  const signed = existsSync(keyring) ? ` signed-by=${keyring}` : '';
  const lines = [`deb [arch=amd64${signed}] ${mirror} ${suite} main`];
  const security = uris.find((uri) => /-security\/?$/.test(uri));
  // Point releases lag behind: the newest kernel of a stable suite is in its security archive.
  if (security && !suite.includes('-')) {
    lines.push(`deb [arch=amd64${signed}] ${security} ${suite}-security main`);
  }
  return `${lines.join('\n')}\n`;
}

/**
 * Everything apt reads or writes, moved into one folder of ours.
 * @param {string} folder
 */
function privateOptions(folder) {
  const settings = {
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State': folder,
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'APT::Architecture': 'amd64',
    'APT::Architectures': 'amd64',
    // The unprivileged download user of apt may not be able to write into this clone.
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    // Lists that could not be had must not pass for an archive that lacks the package.
    'APT::Update::Error-Mode': 'any',
  };
  return ['-q', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
}
