/**
 * Compiles the puppet where a C compiler is; elsewhere (in a guest) the binary built on the host
 * is used. `node test/puppet/build.mjs` builds it by hand.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE_FOLDER = dirname(fileURLToPath(import.meta.url));

/** The static binary, among the build's results: that folder travels into the guest. */
export const PUPPET_BINARY = resolve(SOURCE_FOLDER, '../../build/Release/puppet');

/** @returns {boolean} */
function isUpToDate() {
  if (!existsSync(PUPPET_BINARY)) return false;
  const built = statSync(PUPPET_BINARY).mtimeMs;
  return readdirSync(SOURCE_FOLDER)
    .filter((name) => /\.[ch]$/.test(name))
    .every((name) => statSync(join(SOURCE_FOLDER, name)).mtimeMs <= built);
}

/** Builds when a source is newer than the binary. Throws the compiler's message. */
export function buildPuppet() {
  if (process.platform !== 'linux' || isUpToDate()) return;
  const { CC: compiler = 'cc' } = process.env;
  const sources = readdirSync(SOURCE_FOLDER)
    .filter((name) => name.endsWith('.c'))
    .map((name) => join(SOURCE_FOLDER, name));
  mkdirSync(dirname(PUPPET_BINARY), { recursive: true });
  const options = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror', '-fPIE', '-static-pie'];
  const { error, status, stderr } = spawnSync(
    compiler,
    [...options, ...sources, '-o', PUPPET_BINARY],
    { encoding: 'utf8' },
  );
  // Without a compiler an older binary will do, and a missing one is reported by who needs it.
  if (error !== undefined) return;
  if (status !== 0) throw new Error(`the puppet does not compile:\n${stderr}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildPuppet();
