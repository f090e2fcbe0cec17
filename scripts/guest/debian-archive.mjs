// @ts-check
// Files out of Debian packages without installing anything: apt works on a private list of sources
// and a private state folder, the machine's keyring checks the signatures, dpkg-deb unpacks.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, exitCodes, findProgram, GuestError, runProgram } from './host.mjs';

const aptFolder = join(cacheFolder, 'apt');
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * One visit to the package archive: the lists of one suite, then packages out of it.
 * @typedef {object} DebianArchive
 * @property {(name: string) => Promise<string>} dependencies text of the package's Depends field
 * @property {(name: string, use: (root: string) => void) => Promise<void>} unpack
 */

/** @returns {string | undefined} why the archive cannot be used here */
export function archiveObstacle() {
  const missing = ['apt-get', 'apt-cache', 'dpkg-deb'].filter((name) => !findProgram(name));
  if (missing.length > 0) return `${missing.join(', ')} not found`;
  return undefined;
}

/**
 * Downloads the package lists of a suite. Costs network: call it only when the cache has no answer.
 * @param {string} suite such as 'bookworm'
 * @returns {Promise<DebianArchive>}
 */
export async function openArchive(suite) {
  const obstacle = archiveObstacle();
  if (obstacle) throw new GuestError(`no package archive: ${obstacle}`, unavailable);
  const folder = join(aptFolder, suite);
  for (const part of ['lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  writeFileSync(join(folder, 'status'), '');
  writeFileSync(join(folder, 'sources.list'), await sources(suite));
  const options = privateOptions(folder);
  await runProgram('apt-get', [...options, 'update']);
  return {
    dependencies: async (name) => {
      const text = await runProgram('apt-cache', [...options, 'show', '--no-all-versions', name]);
      return /^Depends: (.*)$/m.exec(text)?.[1] ?? '';
    },
    unpack: (name, use) => unpack(name, options, use),
  };
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
 */
async function sources(suite) {
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
  };
  return ['-q', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
}
