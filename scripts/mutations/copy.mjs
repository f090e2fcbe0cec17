// @ts-check
// A throw-away copy of the project, as it is now, for faults to be put into.

import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, projectFolder, runProgram } from '../guest/host.mjs';
import { ownHeaders } from '../setup/project-steps.mjs';

/** What tests need that is not in the history: these two name each other by where they are. */
const copied = ['build', 'dist'];
/** As old as what was built from it: only what a fault changes is built again. */
const sources = ['native', 'test/native', 'binding.gyp'];

/**
 * What came of a part.
 * @typedef {object} Answer
 * @property {'ok' | 'failed' | 'left out'} verdict
 * @property {number} passed tests
 * @property {import('../test/result.mjs').Failure[]} failures
 * @property {string} note where it ran, or why it did not
 */

export class Copy {
  /** @type {string} */
  #folder;
  #isNativeChanged = false;

  /** @param {string} folder */
  constructor(folder) {
    this.#folder = folder;
  }

  /** Puts a patch into the copy, and builds what it changes. */
  async apply(/** @type {import('./patches.mjs').Mutation} */ { path, changes }) {
    await this.#git('apply', path);
    const isNative = [...changes.keys()].some((file) => file.startsWith('native/'));
    if (isNative || this.#isNativeChanged) await this.#buildNative();
    this.#isNativeChanged = isNative;
  }

  async restore() {
    await this.#git('checkout', '--quiet', '--', '.');
  }

  /**
   * @param {import('./patches.mjs').MutationPart} part
   * @returns {Promise<Answer>}
   */
  async run(part) {
    const parameters = ['scripts/mutations/part.mjs', JSON.stringify(part)];
    const output = await runProgram(process.execPath, parameters, { cwd: this.#folder });
    return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '');
  }

  #buildNative() {
    const gyp = 'node_modules/node-gyp/bin/node-gyp.js';
    return runProgram(process.execPath, [gyp, 'build'], {
      cwd: this.#folder,
      env: { ...process.env, ...ownHeaders() },
    });
  }

  /** @param {string[]} parameters */
  #git(...parameters) {
    return runProgram('git', parameters, { cwd: this.#folder });
  }
}

/**
 * @template T
 * @param {(copy: Copy) => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function withCopy(body) {
  const parent = mkdtempSync(join(tmpdir(), 'node-numa-mutations-'));
  // Some tests have another user run a program of it.
  chmodSync(parent, 0o755);
  const folder = join(parent, 'copy');
  const git = (/** @type {string[]} */ ...parameters) =>
    runProgram('git', parameters, { cwd: projectFolder });
  // A commit of what is there and not committed yet; nothing where all is.
  const changes = (await git('stash', 'create')).trim();
  await git('worktree', 'add', '--quiet', '--detach', folder, changes || 'HEAD');
  try {
    symlinkSync(join(projectFolder, 'node_modules'), join(folder, 'node_modules'));
    for (const name of [...copied, ...sources]) {
      const options = { recursive: true, preserveTimestamps: true };
      cpSync(join(projectFolder, name), join(folder, name), options);
    }
    mkdirSync(join(folder, '.cache'));
    symlinkSync(join(cacheFolder, 'guest'), join(folder, '.cache/guest'));
    return await body(new Copy(folder));
  } finally {
    await git('worktree', 'remove', '--force', folder);
    rmSync(parent, { recursive: true, force: true });
  }
}
