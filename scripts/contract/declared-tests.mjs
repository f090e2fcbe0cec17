// @ts-check
// The full names of the tests that the contract's families declare, found by having them declare
// (names are computed from tables, which no search of the text would see).

import { readdirSync } from 'node:fs';
import { register } from 'node:module';
import { basename } from 'node:path';
import { recordedNames } from './recorder.mjs';

const families = new URL('../../test/contract/', import.meta.url);

let readsTypeScript = false;

/** From then on, and once: every registration is one more step of each import. */
function readTypeScript() {
  if (!readsTypeScript) register('./typescript-hooks.mjs', import.meta.url);
  readsTypeScript = true;
}

/** A world that can do everything and is never opened: no family leaves a test out. */
const subject = {
  name: 'a backend',
  traits: { has: () => true },
  open: () => {
    throw new Error('a family opened its world while declaring tests');
  },
};

/**
 * Imports every `*.contract.ts` and calls what it exports as `...Contract`.
 * @returns {Promise<ReadonlySet<string>>}
 */
export async function declaredTests() {
  readTypeScript();
  const files = readdirSync(families).filter((name) => name.endsWith('.contract.ts'));
  for (const file of files.sort()) {
    try {
      await declareFamilies(file);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`test/contract/${file} declares no tests: ${reason}`, { cause });
    }
  }
  return new Set(recordedNames);
}

/**
 * The full names of the tests of one file: a family of the contract, or an ordinary test file. A
 * family's chapters are the same whichever subject it is given.
 * @param {string} path from the project's folder
 * @returns {Promise<ReadonlySet<string>>}
 */
export async function testsDeclaredIn(path) {
  readTypeScript();
  // Files of the facade's tests map memory when they are imported, which a container may refuse.
  process.env['NODE_NUMA_TEST_SUBJECT'] = 'simulator';
  const before = recordedNames.length;
  if (path.endsWith('.contract.ts')) await declareFamilies(basename(path));
  else await import(new URL(`../../${path}`, import.meta.url).href);
  return new Set(recordedNames.slice(before));
}

/** @param {string} file */
async function declareFamilies(file) {
  const members = Object.entries(await import(new URL(file, families).href));
  const declare = members.filter(([name]) => name.endsWith('Contract'));
  if (declare.length === 0) throw new Error('it exports no function named ...Contract');
  for (const [, family] of declare) family({ ...subject, world: subject.open }, subject);
}
