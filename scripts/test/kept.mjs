// @ts-check
// Results that are kept, so that a long run which was interrupted can go on: of each part that
// passed, for one state of the project. A part that failed, or did not end, runs again.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../guest/host.mjs';
import { logFolder } from './part.mjs';

const statesMax = 4;
const keptFolder = join(logFolder, 'kept');

/** @typedef {import('./part.mjs').Outcome} Outcome */

/**
 * What a project's files say, committed or not; the same again after a commit of them.
 * @param {string} [folder]
 * @returns {string | undefined} nothing where git does not know the folder
 */
export function stateOf(folder = projectFolder) {
  const hash = createHash('sha256');
  const words = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', '.'];
  const { status, stdout } = spawnSync('git', words, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) return undefined;
  for (const name of [...new Set(stdout.split('\0'))].sort()) {
    const path = join(folder, name);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) continue;
    hash.update(`${name}\n${createHash('sha256').update(readFileSync(path)).digest('hex')}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

/** The outcomes of one state that passed. */
export class KeptOutcomes {
  #folder;
  #isStill;

  /**
   * @param {string} state and whatever else makes a difference to results
   * @param {object} [options]
   * @param {() => boolean} [options.isStill] whether the project is still in that state
   * @param {string} [options.root] of all states; the oldest are removed
   */
  constructor(state, { isStill = () => true, root = keptFolder } = {}) {
    this.#folder = join(root, state);
    this.#isStill = isStill;
    mkdirSync(this.#folder, { recursive: true });
    const others = readdirSync(root)
      .filter((name) => name !== state)
      .map((name) => ({ path: join(root, name), mtimeMs: statSync(join(root, name)).mtimeMs }))
      .sort((a, b) => b.mtimeMs - a.mtimeMs);
    for (const { path } of others.slice(statesMax - 1)) rmSync(path, { recursive: true });
  }

  /**
   * @param {string} name of a part
   * @param {string} kernel by its full name: a line gets newer ones
   * @returns {Outcome | undefined}
   */
  find(name, kernel) {
    try {
      const kept = JSON.parse(readFileSync(this.#pathOf(name), 'utf8'));
      return kept.kernel === kernel ? kept.outcome : undefined;
    } catch {
      // Not there, or damaged: the part runs.
      return undefined;
    }
  }

  /**
   * @param {Outcome} outcome
   * @param {string} kernel
   */
  keep(outcome, kernel) {
    // Who edits while a guest runs has tested neither.
    if (!this.#isStill()) return;
    const path = this.#pathOf(outcome.name);
    if (outcome.verdict !== 'ok') {
      rmSync(path, { force: true });
      return;
    }
    // Another run may write the same.
    writeFileSync(`${path}.${process.pid}`, JSON.stringify({ kernel, outcome }));
    renameSync(`${path}.${process.pid}`, path);
  }

  /** @param {string} name */
  #pathOf(name) {
    return join(this.#folder, `${name.replaceAll(/[/ ]/g, '-')}.json`);
  }
}
