// @ts-check
// Files out of Debian's packages, put into the cache in one visible step.

import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openArchive } from './debian-archive.mjs';
import { exitCodes, GuestError } from './host.mjs';

/**
 * @param {string} suite such as 'bookworm'
 * @param {(archive: import('./debian-archive.mjs').DebianArchive) => Promise<void>} use
 * @throws {GuestError} whatever went wrong
 */
export async function fetchFrom(suite, use) {
  try {
    await use(await openArchive(suite));
  } catch (cause) {
    if (cause instanceof GuestError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GuestError(`could not fetch from the Debian archive: ${reason}`, {
      exitCode: exitCodes.unavailable,
      remedy: 'check the network, or give a kernel image with --kernel PATH',
      cause,
    });
  }
}

/**
 * Copies a file into the cache in one visible step: two runs may fill the cache at once.
 * @param {string} source
 * @param {string} target
 */
export function place(source, target) {
  mkdirSync(dirname(target), { recursive: true });
  const scratch = mkdtempSync(join(dirname(target), 'incoming-'));
  try {
    copyFileSync(source, join(scratch, 'file'));
    renameSync(join(scratch, 'file'), target);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
